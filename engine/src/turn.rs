//! One turn: a store, a fresh instance, its calls, and why it ended.
//!
//! 1. Results are lifted into buffers of our own: the typed call of this version runs the guest's post-return before it
//!    comes back, after which a borrowed list would be freed memory.
//! 2. An error of the guest and a failure of the host never mix: an error is the guest's only if it is a trap, if the
//!    guest was running, or if its result could not be lifted; whatever else happens makes no element.
//! 3. The store and the instance are dropped with the turn: nothing passes to the next one but what C took.

use std::ffi::CString;

use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc};
use wasmtime::{Error, OutOfMemory, PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};

use crate::component::TheaterComponent;
use crate::ffi::Outcome;
use crate::host::Host;

/// Most live handles of a component's own resources, where Wasmtime would stop at a tenth of it.
const HANDLES: usize = 1_000_000;
/// How Wasmtime words that bound, which has no type of its own.
const HANDLES_MESSAGE: &str = "store handle limit exceeded";

pub struct Turn<'a> {
    component: &'a TheaterComponent,
    store: Store<Host>,
    instance: Option<Instance>,
    ran: bool,
    pub output: Vec<u8>,
    pub state: Vec<u8>,
    pub detail: CString,
}

/// Why a step ended: an outcome, and which trap it was.
pub struct End {
    pub outcome: Outcome,
    pub trap: Option<&'static std::ffi::CStr>,
}

impl End {
    pub const OK: End = End { outcome: Outcome::Ok, trap: None };
    fn of(outcome: Outcome) -> End {
        End { outcome, trap: None }
    }
}

impl<'a> Turn<'a> {
    pub fn new(component: &'a TheaterComponent, host: Host) -> Result<Turn<'a>, Error> {
        let fuel = host.options.fuel;
        let mut store = Store::try_new(&component.engine, host)?;
        store.limiter(|host| host);
        store.set_fuel(fuel)?;
        // The sizes of what passes between guest and host are the caller's to bound, not Wasmtime's.
        store.set_hostcall_fuel(usize::MAX);
        store.set_max_component_handles(HANDLES);
        Ok(Turn {
            component,
            store,
            instance: None,
            ran: false,
            output: Vec::new(),
            state: Vec::new(),
            detail: CString::default(),
        })
    }

    pub fn instantiate(&mut self) -> End {
        match self.component.pre.instantiate(&mut self.store) {
            Ok(instance) => {
                self.instance = Some(instance);
                End::OK
            }
            // Only with a guest's frames on the stack can it be the guest's doing: before them the pool or memory fails.
            Err(error) => self.ended(&error, error.downcast_ref::<WasmBacktrace>().is_some()),
        }
    }

    pub fn init(&mut self, config: &[u8]) -> End {
        let export = self.component.init;
        match self.once::<_, (Result<Vec<u8>, String>,)>(export, (config,)) {
            Ok((Ok(state),)) => {
                self.state = state;
                End::OK
            }
            Ok((Err(text),)) => self.refused(text),
            Err(end) => end,
        }
    }

    pub fn handle(&mut self, input: &[u8], state: &[u8]) -> End {
        let export = self.component.handle;
        match self.once::<_, (Result<(Vec<u8>, Vec<u8>), String>,)>(export, (input, state)) {
            Ok((Ok((output, state)),)) => {
                self.output = output;
                self.state = state;
                End::OK
            }
            Ok((Err(text),)) => self.refused(text),
            Err(end) => end,
        }
    }

    pub fn verify_state(&mut self, state: &[u8]) -> Result<bool, End> {
        let export = self.component.verify_state;
        self.call::<_, (bool,)>(export, (state,)).map(|(valid,)| valid)
    }

    /// Fuel used so far; never more than the limit.
    pub fn fuel(&self) -> u64 {
        let limit = self.store.data().options.fuel;
        limit - self.store.get_fuel().unwrap_or(limit).min(limit)
    }

    /// `init` and `handle` run once a turn, so that the slices given to C stay in place until it ends.
    fn once<P, R>(&mut self, export: ComponentExportIndex, params: P) -> Result<R, End>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        if std::mem::replace(&mut self.ran, true) {
            return Err(self.failed("a turn runs init or handle once"));
        }
        self.call(export, params)
    }

    fn call<P, R>(&mut self, export: ComponentExportIndex, params: P) -> Result<R, End>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        let Some(instance) = self.instance else {
            return Err(self.failed("the turn has ended"));
        };
        let Some(func) = instance.get_func(&mut self.store, export) else {
            return Err(self.failed("the export is missing"));
        };
        // SAFETY: `check` compared the types of the three exports with these when the component was compiled.
        let func = unsafe { TypedFunc::<P, R>::new_unchecked(func) };
        func.call(&mut self.store, params).map_err(|error| self.ended(&error, true))
    }

    fn refused(&mut self, text: String) -> End {
        self.instance = None;
        self.output = text.into_bytes();
        End::of(Outcome::Error)
    }

    pub fn failed(&mut self, why: &str) -> End {
        self.instance = None;
        self.detail = text(why);
        End::of(Outcome::Failed)
    }

    fn ended(&mut self, error: &Error, running: bool) -> End {
        self.instance = None;
        self.detail = text(&format!("{error:?}"));
        let host = self.store.data();
        if host.failed {
            return End::of(Outcome::Failed);
        }
        if host.stopped {
            return End::of(Outcome::Stopped);
        }
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return end_of_trap(*trap);
        }
        let machine = error.is::<OutOfMemory>()
            || error.is::<std::io::Error>()
            || error.is::<PoolConcurrencyLimitError>()
            || error.chain().any(|cause| cause.to_string().contains(HANDLES_MESSAGE));
        match running && !machine {
            true => End { outcome: Outcome::Trap, trap: Some(c"abi") },
            false => End::of(Outcome::Failed),
        }
    }
}

/// The chain format's table of codes. All that has no name of its own there is `abi`.
fn end_of_trap(trap: Trap) -> End {
    let name = match trap {
        Trap::StackOverflow => return End::of(Outcome::Stack),
        Trap::OutOfFuel => return End::of(Outcome::OutOfFuel),
        // Neither can be met by a guest: epochs are off, and Pulley's instructions are all compiled in.
        Trap::Interrupt | Trap::DisabledOpcode => return End::of(Outcome::Failed),
        Trap::UnreachableCodeReached => c"unreachable",
        Trap::MemoryOutOfBounds => c"memory",
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => c"table",
        Trap::IntegerDivisionByZero => c"division",
        Trap::IntegerOverflow | Trap::BadConversionToInteger => c"integer",
        _ => c"abi",
    };
    End { outcome: Outcome::Trap, trap: Some(name) }
}

fn text(message: &str) -> CString {
    CString::new(message.replace('\0', " ")).unwrap_or_default()
}
