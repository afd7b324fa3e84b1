;; WASI preview 1, answered inside the component, the same way each time.
;;
;; This is an adapter for wit-component: a core module without a memory, a table or data of its own, which
;; works on the memory of the module that it is put beside. Functions that the module does not call are left
;; out, and with them the host functions that only they need. README.md says what each call answers.
;;
;; Invariants:
;;   1. Nothing grows the memory: Go's runtime believes that it alone does.
;;   2. Every byte outside the caller's own buffers is as before when a call returns. The one place that is
;;      needed besides, eight bytes for the answer of the host's random, is put back.
;;   3. No answer depends on anything but the call, the turn's time and the turn's random stream.
(module
  (import "theater:actor/host@0.1.0" "now" (func $now (result i64)))
  (import "theater:actor/host@0.1.0" "random" (func $random (param i32 i32)))
  (import "theater:actor/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "env" "memory" (memory 0))

  ;; Where the host puts the bytes of its next answer.
  (global $room (mut i32) (i32.const 0))

  ;; Called while $random runs: the bytes go straight to the caller's buffer.
  (func (export "cabi_import_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    global.get $room)

  ;; ---- placing --------------------------------------------------------------------------------------------

  ;; Whether the module is making room for what the host gives it, inside cabi_realloc. It may not call the host then,
  ;; and would be ended with a trap.
  (global $placing (mut i32) (i32.const 0))

  ;; Told by a module whose allocator may call WASI, as Go's does.
  (func (export "theater_placing") (param $placing i32)
    (global.set $placing (local.get $placing)))

  ;; ---- time and chance --------------------------------------------------------------------------------

  ;; What clocks say while the host cannot be asked: the turn's time if it was asked for before, else the time at which
  ;; start-ups run (encoder/src/snapshot.rs), so that no clock goes back.
  (global $time (mut i64) (i64.const 315532800000000000))

  ;; Every clock is the turn's time, which does not move within a turn.
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $ret i32) (result i32)
    (if (i32.gt_u (local.get $clock) (i32.const 3)) (then (return (i32.const 28))))
    (if (i32.eqz (global.get $placing)) (then (global.set $time (call $now))))
    (i64.store align=1 (local.get $ret) (global.get $time))
    (i32.const 0))

  (func (export "clock_res_get") (param $clock i32) (param $ret i32) (result i32)
    (if (i32.gt_u (local.get $clock) (i32.const 3)) (then (return (i32.const 28))))
    (i64.store align=1 (local.get $ret) (i64.const 1))
    (i32.const 0))

  (func (export "random_get") (param $to i32) (param $size i32) (result i32)
    (local $answer i32) (local $before i64)
    (if (i32.eqz (local.get $size)) (then (return (i32.const 0))))
    ;; The answer's pointer and length go beside the buffer: before it, or behind it when it lies at the start.
    (if (i32.ge_u (local.get $to) (i32.const 16))
      (then (local.set $answer (i32.and (i32.sub (local.get $to) (i32.const 8)) (i32.const -8))))
      (else (local.set $answer
        (i32.and (i32.add (i32.add (local.get $to) (local.get $size)) (i32.const 7)) (i32.const -8)))))
    (local.set $before (i64.load (local.get $answer)))
    (global.set $room (local.get $to))
    (call $random (local.get $size) (local.get $answer))
    (i64.store (local.get $answer) (local.get $before))
    (i32.const 0))

  ;; ---- standard output and error: lines of the actor's log ----------------------------------------------

  ;; Whether the bytes are UTF-8, which the host's log wants (RFC 3629): no overlong form, no surrogate.
  (func $is_text (param $at i32) (param $end i32) (result i32)
    (local $byte i32) (local $more i32) (local $point i32) (local $least i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 1))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $byte) (i32.const 0x80)))
      (if (i32.eq (i32.and (local.get $byte) (i32.const 0xe0)) (i32.const 0xc0))
        (then (local.set $more (i32.const 1)) (local.set $least (i32.const 0x80))
          (local.set $point (i32.and (local.get $byte) (i32.const 0x1f))))
        (else (if (i32.eq (i32.and (local.get $byte) (i32.const 0xf0)) (i32.const 0xe0))
          (then (local.set $more (i32.const 2)) (local.set $least (i32.const 0x800))
            (local.set $point (i32.and (local.get $byte) (i32.const 0x0f))))
          (else (if (i32.eq (i32.and (local.get $byte) (i32.const 0xf8)) (i32.const 0xf0))
            (then (local.set $more (i32.const 3)) (local.set $least (i32.const 0x10000))
              (local.set $point (i32.and (local.get $byte) (i32.const 0x07))))
            (else (return (i32.const 0))))))))
      (loop $tail
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
        (local.set $byte (i32.load8_u (local.get $at)))
        (if (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80)) (then (return (i32.const 0))))
        (local.set $point (i32.or (i32.shl (local.get $point) (i32.const 6)) (i32.and (local.get $byte) (i32.const 0x3f))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $tail (local.tee $more (i32.sub (local.get $more) (i32.const 1)))))
      (if (i32.lt_u (local.get $point) (local.get $least)) (then (return (i32.const 0))))
      (if (i32.gt_u (local.get $point) (i32.const 0x10ffff)) (then (return (i32.const 0))))
      (br_if $next (i32.ne (i32.and (local.get $point) (i32.const 0x1ff800)) (i32.const 0xd800))))
    (i32.const 0))

  ;; One piece, without the line ends behind it; nothing when nothing is left, or when it is no text.
  (func $say (param $fd i32) (param $text i32) (param $size i32)
    (block $trimmed
      (loop $trim
        (br_if $trimmed (i32.eqz (local.get $size)))
        (br_if $trimmed (i32.ne (i32.const 10)
          (i32.load8_u (i32.add (local.get $text) (i32.sub (local.get $size) (i32.const 1))))))
        (local.set $size (i32.sub (local.get $size) (i32.const 1)))
        (br $trim)))
    (if (i32.or (i32.eqz (local.get $size)) (global.get $placing)) (then (return)))
    (if (i32.eqz (call $is_text (local.get $text) (i32.add (local.get $text) (local.get $size)))) (then (return)))
    ;; Standard output is information (2), standard error a warning (3).
    (call $log (i32.add (local.get $fd) (i32.const 1)) (local.get $text) (local.get $size)))

  (func (export "fd_write") (param $fd i32) (param $pieces i32) (param $count i32) (param $ret i32) (result i32)
    (local $written i32) (local $size i32)
    (if (i32.and (i32.ne (local.get $fd) (i32.const 1)) (i32.ne (local.get $fd) (i32.const 2)))
      (then (return (i32.const 8))))
    (block $done
      (loop $each
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $size (i32.load offset=4 (local.get $pieces)))
        (call $say (local.get $fd) (i32.load (local.get $pieces)) (local.get $size))
        (local.set $written (i32.add (local.get $written) (local.get $size)))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $each)))
    (i32.store (local.get $ret) (local.get $written))
    (i32.const 0))

  ;; ---- descriptors 0, 1 and 2, which are all there are ---------------------------------------------------

  ;; Standard input is at its end.
  (func (export "fd_read") (param $fd i32) (param $pieces i32) (param $count i32) (param $ret i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $ret) (i32.const 0))
    (i32.const 0))

  ;; A character device that may be read (bit 1) or written (bit 6).
  (func (export "fd_fdstat_get") (param $fd i32) (param $ret i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $ret) (i64.const 2))
    (i64.store offset=8 (local.get $ret) (select (i64.const 0x40) (i64.const 2) (local.get $fd)))
    (i64.store offset=16 (local.get $ret) (i64.const 0))
    (i32.const 0))

  (func (export "fd_filestat_get") (param $fd i32) (param $ret i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (memory.fill (local.get $ret) (i32.const 0) (i32.const 64))
    (i32.store8 offset=16 (local.get $ret) (i32.const 2))
    (i32.const 0))

  (func (export "fd_fdstat_set_flags") (param $fd i32) (param $flags i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))

  (func (export "fd_close") (param $fd i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))

  ;; ---- no arguments, no environment ----------------------------------------------------------------------

  (func $none (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))
  (func (export "args_sizes_get") (param i32 i32) (result i32) (call $none (local.get 0) (local.get 1)))
  (func (export "environ_sizes_get") (param i32 i32) (result i32) (call $none (local.get 0) (local.get 1)))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; ---- the process ---------------------------------------------------------------------------------------

  ;; The turn ends as a trap: a rejection.
  (func (export "proc_exit") (param $code i32) (unreachable))
  (func (export "proc_raise") (param $signal i32) (result i32) (unreachable))
  (func (export "sched_yield") (result i32) (i32.const 0))
  ;; Time does not move within a turn, so nothing can be waited for: not supported.
  (func (export "poll_oneoff") (param i32 i32 i32 i32) (result i32) (i32.const 58))

  ;; ---- files and sockets: no descriptor stands for one (8, badf) --------------------------------------------

  ;; What can be asked of a stream too: it cannot be moved in (70, spipe).
  (func (export "fd_seek") (param $fd i32) (param i64 i32 i32) (result i32)
    (select (i32.const 8) (i32.const 70) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "fd_tell") (param $fd i32) (param i32) (result i32)
    (select (i32.const 8) (i32.const 70) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 8))
)
