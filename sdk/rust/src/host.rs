//! What the runtime gives an actor. Every answer is a function of the chain alone, so a turn can be run again by anybody.
//!
//! On the machine itself, in tests, [`test`] answers instead.

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Where the input of this turn came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The configuration, in `init`.
    Genesis,
    /// A client, with its principal if it was authenticated; an upgrade too.
    Client(Option<String>),
    /// Another actor's `send` or `request`.
    Actor(String),
    /// The answer to this actor's own `request`. Failed: the input is the reason, as text.
    Reply { request: u64, failed: bool },
}

/// A line for whoever operates the actor; it stands in the chain as an effect, also when the turn is rejected.
pub fn log(level: Level, message: &str) {
    imp::log(level, message)
}

/// The turn's time: nanoseconds since the Unix epoch. It does not move within a turn and never goes back.
pub fn now() -> u64 {
    imp::now()
}

/// The next bytes of the turn's random stream, at most 65,536 in a turn. Whoever has the chain can compute them: they are good for
/// shuffling, not for secrets.
pub fn random(length: usize) -> Vec<u8> {
    imp::random(length as u32)
}

/// The next eight bytes of the random stream as a number.
pub fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&random(8));
    u64::from_le_bytes(bytes)
}

/// This actor's name.
pub fn name() -> String {
    imp::name()
}

/// The sequence number of the element that this turn will become.
pub fn sequence() -> u64 {
    imp::sequence()
}

/// Who sent the input of this turn.
pub fn source() -> Source {
    imp::source()
}

/// Sends a message when this turn is committed; delivered exactly once, and in order for each pair of actors. A `to` that is no name, or
/// a payload over the limit, ends the turn.
pub fn send(to: &str, payload: impl AsRef<[u8]>) {
    imp::send(to, payload.as_ref())
}

/// As [`send`], but the target's output, or why it rejected, comes back as a later input, from [`Source::Reply`] with this id.
pub fn request(to: &str, payload: impl AsRef<[u8]>) -> u64 {
    imp::request(to, payload.as_ref())
}

/// `info!("{} of {}", a, b)`: a line of the log, formatted as by `format!`. `warn!`, `error!`, `debug!` are the same with their level.
#[macro_export]
macro_rules! info { ($($text:tt)+) => { $crate::host::log($crate::host::Level::Info, &::std::format!($($text)+)) }; }
#[macro_export]
macro_rules! warn { ($($text:tt)+) => { $crate::host::log($crate::host::Level::Warn, &::std::format!($($text)+)) }; }
#[macro_export]
macro_rules! error { ($($text:tt)+) => { $crate::host::log($crate::host::Level::Error, &::std::format!($($text)+)) }; }
#[macro_export]
macro_rules! debug { ($($text:tt)+) => { $crate::host::log($crate::host::Level::Debug, &::std::format!($($text)+)) }; }

#[cfg(target_arch = "wasm32")]
mod imp {
    use super::{Level, Source};

    #[link(wasm_import_module = "theater:actor/host@0.1.0")]
    extern "C" {
        #[link_name = "log"]
        fn host_log(level: u32, text: *const u8, size: usize);
        #[link_name = "now"]
        fn host_now() -> u64;
        #[link_name = "random"]
        fn host_random(length: u32, ret: *mut Bytes);
        #[link_name = "self-name"]
        fn host_self_name(ret: *mut Bytes);
        #[link_name = "sequence"]
        fn host_sequence() -> u64;
        #[link_name = "source"]
        fn host_source(ret: *mut Lifted);
        #[link_name = "send"]
        fn host_send(to: *const u8, to_size: usize, payload: *const u8, size: usize);
        #[link_name = "request"]
        fn host_request(to: *const u8, to_size: usize, payload: *const u8, size: usize) -> u64;
    }

    #[repr(C)]
    struct Bytes {
        data: *mut u8,
        size: usize,
    }

    /// The canonical ABI of the variant: a discriminant, and its payload at 8 because a reply holds a u64.
    #[repr(C, align(8))]
    struct Lifted {
        kind: u8,
        payload: [u32; 4],
    }

    /// What the host placed is the caller's.
    unsafe fn bytes(data: *mut u8, size: usize) -> Vec<u8> {
        match size {
            0 => Vec::new(),
            _ => Vec::from_raw_parts(data, size, size),
        }
    }

    unsafe fn text(data: u32, size: u32) -> String {
        // The canonical ABI has seen to UTF-8.
        String::from_utf8_unchecked(bytes(data as *mut u8, size as usize))
    }

    pub fn log(level: Level, message: &str) {
        unsafe { host_log(level as u32, message.as_ptr(), message.len()) }
    }
    pub fn now() -> u64 {
        unsafe { host_now() }
    }
    pub fn random(length: u32) -> Vec<u8> {
        let mut ret = Bytes { data: core::ptr::null_mut(), size: 0 };
        unsafe {
            host_random(length, &mut ret);
            bytes(ret.data, ret.size)
        }
    }
    pub fn name() -> String {
        let mut ret = Bytes { data: core::ptr::null_mut(), size: 0 };
        unsafe {
            host_self_name(&mut ret);
            text(ret.data as u32, ret.size as u32)
        }
    }
    pub fn sequence() -> u64 {
        unsafe { host_sequence() }
    }
    pub fn source() -> Source {
        #[repr(C, align(8))]
        struct Area([u8; 24]);
        let mut area = Area([0; 24]);
        let word = |area: &Area, at: usize| u32::from_le_bytes([area.0[at], area.0[at + 1], area.0[at + 2], area.0[at + 3]]);
        unsafe {
            host_source(&mut area as *mut Area as *mut Lifted);
            match area.0[0] {
                0 => Source::Genesis,
                1 if area.0[8] == 0 => Source::Client(None),
                1 => Source::Client(Some(text(word(&area, 12), word(&area, 16)))),
                2 => Source::Actor(text(word(&area, 8), word(&area, 12))),
                _ => Source::Reply {
                    request: u64::from(word(&area, 12)) << 32 | u64::from(word(&area, 8)),
                    failed: area.0[16] != 0,
                },
            }
        }
    }
    pub fn send(to: &str, payload: &[u8]) {
        unsafe { host_send(to.as_ptr(), to.len(), payload.as_ptr(), payload.len()) }
    }
    pub fn request(to: &str, payload: &[u8]) -> u64 {
        unsafe { host_request(to.as_ptr(), to.len(), payload.as_ptr(), payload.len()) }
    }
}

#[cfg(not(target_arch = "wasm32"))]
use test as imp;

/// The host of a test on the machine itself: it answers what the test says, and keeps what the actor did. One for each thread.
#[cfg(not(target_arch = "wasm32"))]
pub mod test {
    use super::{Level, Source};
    use std::cell::RefCell;

    /// A message that was sent: to whom, what, and the id of a request.
    pub type Sent = (String, Vec<u8>, Option<u64>);

    /// What the host answers, and what it was told.
    pub struct Host {
        pub now: u64,
        pub name: String,
        pub sequence: u64,
        pub source: Source,
        /// The state of a small generator: the same seed gives the same bytes. They are not those of a chain.
        pub seed: u64,
        pub log: Vec<(Level, String)>,
        pub sent: Vec<Sent>,
    }

    impl Default for Host {
        fn default() -> Self {
            Host {
                now: 1_767_225_600_000_000_000,
                name: "actor".into(),
                sequence: 1,
                source: Source::Client(None),
                seed: 1,
                log: Vec::new(),
                sent: Vec::new(),
            }
        }
    }

    thread_local!(static HOST: RefCell<Host> = RefCell::default());

    /// Looks at this thread's host, or changes it.
    pub fn with<T>(work: impl FnOnce(&mut Host) -> T) -> T {
        HOST.with(|host| work(&mut host.borrow_mut()))
    }

    pub(super) fn log(level: Level, message: &str) {
        with(|host| host.log.push((level, message.into())))
    }
    pub(super) fn now() -> u64 {
        with(|host| host.now)
    }
    pub(super) fn random(length: u32) -> Vec<u8> {
        with(|host| {
            let mut next = || {
                host.seed = host.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (host.seed >> 56) as u8
            };
            (0..length).map(|_| next()).collect()
        })
    }
    pub(super) fn name() -> String {
        with(|host| host.name.clone())
    }
    pub(super) fn sequence() -> u64 {
        with(|host| host.sequence)
    }
    pub(super) fn source() -> Source {
        with(|host| host.source.clone())
    }
    pub(super) fn send(to: &str, payload: &[u8]) {
        with(|host| host.sent.push((to.into(), payload.into(), None)))
    }
    pub(super) fn request(to: &str, payload: &[u8]) -> u64 {
        with(|host| {
            let place = host.sent.iter().filter(|sent| sent.2.is_some()).count() as u64 + 1;
            let id = host.sequence * 65536 + place;
            host.sent.push((to.into(), payload.into(), Some(id)));
            id
        })
    }
}
