//! What an actor for Theater is written with.
//!
//! An actor is a type: how it begins, what it does with an input, and how it is kept between turns.
//!
//! ```
//! use theater_actor::{actor, Actor, Result, State};
//!
//! struct Counter(u64);
//!
//! impl Actor for Counter {
//!     fn init(_config: &[u8]) -> Result<Self> {
//!         Ok(Counter(0))
//!     }
//!
//!     fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>> {
//!         if input != b"add" {
//!             return Err("say: add".into());
//!         }
//!         self.0 += 1;
//!         Ok(self.0.to_string().into_bytes())
//!     }
//! }
//!
//! impl State for Counter {
//!     fn decode(state: Vec<u8>) -> Option<Self> {
//!         Some(Counter(u64::from_le_bytes(state.try_into().ok()?)))
//!     }
//!
//!     fn encode(self) -> Vec<u8> {
//!         self.0.to_le_bytes().to_vec()
//!     }
//! }
//!
//! actor!(Counter);
//! ```
//!
//! What to know:
//!
//! 1. The state is the only memory. Each turn runs in a fresh instance: a `static` is new each time.
//! 2. An `Err`, a panic, spent fuel or memory ends the turn as a rejection: the state stays as it was before it, and what was sent in
//!    it is dropped.
//! 3. A turn sees only what the chain holds: [`host`] answers the same when somebody runs the turn again. There is no other clock, no
//!    file and no network: `std::time::SystemTime::now` panics.
//! 4. `HashMap` works, and runs the same each time; but its order is not one to keep. Where order matters, as in a state, use `BTreeMap`.
//!
//! On the machine itself the same crate works too, with a [`host::test`] in the host's place, so `cargo test` tries an actor's functions.

pub mod host;
pub mod json;
pub mod text;

#[cfg(feature = "serde")]
mod codec;
#[cfg(feature = "serde")]
mod finite;
#[cfg(feature = "serde")]
pub use codec::{Cbor, Json};

#[doc(hidden)]
pub mod abi;

/// Why an input is rejected. Made from any text and any error.
// It does not implement Display: only so can it be made from everything that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject(pub String);

impl<E: core::fmt::Display> From<E> for Reject {
    fn from(error: E) -> Self {
        Reject(error.to_string())
    }
}

/// What an actor's functions return.
pub type Result<T> = core::result::Result<T, Reject>;

/// Rejects the input with a text, formatted as by `format!`.
#[macro_export]
macro_rules! reject {
    ($($text:tt)+) => {
        return ::core::result::Result::Err($crate::Reject(::std::format!($($text)+)))
    };
}

/// An actor.
pub trait Actor: Sized {
    /// The first state, from the configuration.
    fn init(config: &[u8]) -> Result<Self>;

    /// One turn: changes the state and gives the output. After an error the state is as it was.
    fn handle(&mut self, input: &[u8]) -> Result<Vec<u8>>;

    /// Whether a state is valid. Asked of every new state before it is kept.
    fn verify(&self) -> bool {
        true
    }
}

/// How a state becomes bytes, by its own code: for states that are read and changed in place.
pub trait State: Sized {
    /// None: these bytes are no state of this actor.
    fn decode(state: Vec<u8>) -> Option<Self>;
    fn encode(self) -> Vec<u8>;
}

/// How a state of type `T` becomes bytes. The same value must give the same bytes, always.
pub trait Codec<T> {
    fn decode(state: Vec<u8>) -> Option<T>;
    fn encode(state: T) -> Option<Vec<u8>>;
}

/// The codec of a [`State`].
pub struct Own;

impl<T: State> Codec<T> for Own {
    fn decode(state: Vec<u8>) -> Option<T> {
        T::decode(state)
    }
    fn encode(state: T) -> Option<Vec<u8>> {
        Some(state.encode())
    }
}

/// Makes a type the actor of this crate: `actor!(Counter)` with its own [`State`], `actor!(Counter, Json)` or `actor!(Counter, Cbor)` with a
/// codec of serde's types (feature `serde`). Used once in a crate.
#[macro_export]
macro_rules! actor {
    ($actor:ty) => {
        $crate::actor!($actor, $crate::Own);
    };
    ($actor:ty, $codec:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[export_name = "theater:actor/actor@0.1.0#init"]
            unsafe extern "C" fn init(config: *mut u8, size: usize) -> *const u8 {
                $crate::abi::init::<$actor, $codec>(config, size)
            }
            #[export_name = "theater:actor/actor@0.1.0#handle"]
            unsafe extern "C" fn handle(input: *mut u8, input_size: usize, state: *mut u8, size: usize) -> *const u8 {
                $crate::abi::handle::<$actor, $codec>(input, input_size, state, size)
            }
            #[export_name = "theater:actor/actor@0.1.0#verify-state"]
            unsafe extern "C" fn verify_state(state: *mut u8, size: usize) -> bool {
                $crate::abi::verify_state::<$actor, $codec>(state, size)
            }
        };
        // On the machine itself nothing calls the actor but tests; this says that it is no dead code.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            #[allow(dead_code)]
            fn is_used(config: &[u8]) -> bool {
                <$actor as $crate::Actor>::init(config).is_ok()
            }
        };
    };
}

/// Makes the allocator one that only moves forward and gives nothing back: shorter turns and a smaller component, for actors that do not
/// allocate and free in long loops. A turn ends with its instance, so nothing leaks.
#[macro_export]
macro_rules! bump_allocator {
    () => {
        #[cfg(target_arch = "wasm32")]
        #[global_allocator]
        static THEATER_ALLOCATOR: $crate::abi::Bump = $crate::abi::Bump::new();
    };
}
