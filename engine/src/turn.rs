//! One turn: a store, a fresh instance, its calls, and why it ended.
//!
//! 1. Results are lifted into buffers of our own: the typed call of this version runs the guest's post-return before it
//!    comes back, after which a borrowed list would be freed memory.
//! 2. An error of the guest and a failure of the host never mix: an error is the guest's only if it is a trap, if the
//!    guest was running, or if its result could not be lifted; whatever else happens makes no element.
//! 3. The instance serves this turn alone: nothing passes to the next one but what C took. The store is dropped with
//!    the turn, or with that of a later one (`spare`).

use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering;

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc};
use wasmtime::{Error, OutOfMemory, Store, Trap, WasmBacktrace};

use crate::component::{Memory, TheaterComponent};
use crate::ffi::Outcome;
use crate::host::Host;
use crate::spare::Spare;
use theater_memory::{memory, paged};

/// Most live handles of a component's own resources: a bound on the host's memory that no honest guest meets, where
/// Wasmtime would stop at a tenth of it. It has no type of its own, only these words.
const HANDLES: usize = 1_000_000;
const HANDLES_MESSAGE: &str = "store handle limit exceeded";

pub struct Turn<'a> {
    component: &'a TheaterComponent,
    /// There until the drop.
    spare: Option<Spare>,
    instance: Option<Instance>,
    pub output: Vec<u8>,
    pub state: Vec<u8>,
    pub detail: Option<CString>,
    /// Nothing trapped, failed or panicked, so its store may serve another turn. False while something runs.
    clean: bool,
    /// Turns that ran when this one began.
    others: usize,
}

/// Why a step ended: an outcome, and which trap it was.
pub struct End {
    pub outcome: Outcome,
    pub trap: Option<&'static CStr>,
}

impl End {
    pub const OK: End = End { outcome: Outcome::Ok, trap: None };
    const FAILED: End = End { outcome: Outcome::Failed, trap: None };
}

impl<'a> Turn<'a> {
    pub fn new(component: &'a TheaterComponent, host: Host) -> Result<Turn<'a>, Error> {
        let fuel = host.options.fuel;
        let waiting = component.is_small().then(|| component.engines.spares.take(component.number)).flatten();
        let mut spare = match waiting {
            Some(mut spare) => {
                *spare.store.data_mut() = host;
                spare
            }
            None => Turn::new_store(component, host)?,
        };
        spare.store.set_fuel(fuel)?;
        let (output, state, detail) = Default::default();
        let others = component.engines.turns.fetch_add(1, Ordering::Acquire);
        Ok(Turn { component, spare: Some(spare), instance: None, output, state, detail, clean: false, others })
    }

    fn new_store(component: &TheaterComponent, host: Host) -> Result<Spare, Error> {
        let mut store = Store::try_new(component.pre.engine(), host)?;
        store.limiter(|host| host);
        // The sizes of what passes between guest and host are the caller's to bound, not Wasmtime's.
        store.set_hostcall_fuel(usize::MAX);
        store.set_max_component_handles(HANDLES);
        Ok(Spare { store, turns: 0 })
    }

    pub fn instantiate(&mut self) -> Result<(), End> {
        let (pre, most) = (&self.component.pre, self.component.engines.most_turns);
        if self.others >= most {
            let error = Error::msg(format!("the concurrent limit of {most} turns is reached"));
            return Err(self.ended(&error, false));
        }
        let made = match &self.component.memory {
            Memory::General => pre.instantiate(self.store()),
            Memory::Small(image) => memory::with_image(image, || pre.instantiate(self.store())),
            Memory::Paged(pages) => paged::with_pages(pages, || pre.instantiate(self.store())),
        };
        // Only with a guest's frames on the stack can it be the guest's doing: before them the pool or memory fails.
        self.instance = Some(made.map_err(|error| self.ended(&error, error.is::<WasmBacktrace>()))?);
        self.clean = true;
        Ok(())
    }

    fn store(&mut self) -> &mut Store<Host> {
        &mut self.spare.as_mut().expect("a turn has its store").store
    }

    pub fn init(&mut self, config: &[u8]) -> Result<(), End> {
        let (state,) = self.call::<_, (Result<Vec<u8>, String>,)>(self.component.init, (config,))?;
        self.state = state.map_err(|text| self.refused(text))?;
        Ok(())
    }

    pub fn handle(&mut self, input: &[u8], state: &[u8]) -> Result<(), End> {
        let export = self.component.handle;
        let (result,) = self.call::<_, (Result<(Vec<u8>, Vec<u8>), String>,)>(export, (input, state))?;
        (self.output, self.state) = result.map_err(|text| self.refused(text))?;
        Ok(())
    }

    pub fn verify_state(&mut self, state: &[u8]) -> Result<bool, End> {
        self.call::<_, (bool,)>(self.component.verify_state, (state,)).map(|(valid,)| valid)
    }

    /// Fuel used so far; never more than the limit.
    pub fn fuel(&self) -> u64 {
        let store = &self.spare.as_ref().expect("a turn has its store").store;
        let limit = store.data().options.fuel;
        limit - store.get_fuel().unwrap_or(limit).min(limit)
    }

    fn call<P, R>(&mut self, export: ComponentExportIndex, params: P) -> Result<R, End>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        let Some(func) = self.instance.and_then(|instance| instance.get_func(self.store(), export)) else {
            self.detail = Some(c"the turn has ended".into());
            return Err(End::FAILED);
        };
        // SAFETY: `check` compared the types of the three exports with these when the component was compiled.
        let func = unsafe { TypedFunc::<P, R>::new_unchecked(func) };
        self.clean = false;
        let result = func.call(self.store(), params).map_err(|error| self.ended(&error, true))?;
        self.clean = true;
        Ok(result)
    }

    fn refused(&mut self, text: String) -> End {
        self.instance = None;
        self.output = text.into_bytes();
        End { outcome: Outcome::Error, trap: None }
    }

    fn ended(&mut self, error: &Error, running: bool) -> End {
        self.instance = None;
        self.detail = CString::new(format!("{error:?}").replace('\0', " ")).ok();
        let host = self.store().data();
        let bounded = || error.chain().any(|cause| cause.to_string().contains(HANDLES_MESSAGE));
        match error.downcast_ref::<Trap>() {
            _ if host.failed => End::FAILED,
            _ if host.stopped => End { outcome: Outcome::Stopped, trap: None },
            Some(trap) => end_of_trap(*trap),
            None if !running || error.is::<OutOfMemory>() || bounded() => End::FAILED,
            None => End { outcome: Outcome::Trap, trap: Some(c"abi") },
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let engines = &self.component.engines;
        if let Some(spare) = self.spare.take().filter(|_| self.clean && self.component.is_small()) {
            engines.spares.give_back(self.component.number, spare);
        }
        // Only now is what the turn took of a pool free for another.
        engines.turns.fetch_sub(1, Ordering::Release);
    }
}

/// The chain format's table of codes. All that has no name of its own there is `abi`.
fn end_of_trap(trap: Trap) -> End {
    let (outcome, trap) = match trap {
        Trap::StackOverflow => (Outcome::Stack, None),
        Trap::OutOfFuel => (Outcome::OutOfFuel, None),
        // Neither can be met by a guest: epochs are off, and Pulley's instructions are all compiled in.
        Trap::Interrupt | Trap::DisabledOpcode => (Outcome::Failed, None),
        Trap::UnreachableCodeReached => (Outcome::Trap, Some(c"unreachable")),
        Trap::MemoryOutOfBounds => (Outcome::Trap, Some(c"memory")),
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => (Outcome::Trap, Some(c"table")),
        Trap::IntegerDivisionByZero => (Outcome::Trap, Some(c"division")),
        Trap::IntegerOverflow | Trap::BadConversionToInteger => (Outcome::Trap, Some(c"integer")),
        _ => (Outcome::Trap, Some(c"abi")),
    };
    End { outcome, trap }
}
