//! What work costs in CPU time: tests of how time grows use it, because a busy machine must not fail
//! them.

use std::time::Duration;

/// Runs `work` and returns what it costs in CPU time, so that what else the machine does does not
/// count. Work that is spread over a pool of threads stays on the one that is measured.
pub(crate) fn cpu_time_of<T: Send>(work: impl FnOnce() -> T + Send) -> (T, Duration) {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1);
    one_thread.build().unwrap().install(|| {
        let before = cpu_time();
        let result = work();
        (result, cpu_time() - before)
    })
}

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split(' ').next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}

#[test]
fn work_of_a_pool_of_threads_is_measured() {
    use rayon::prelude::*;
    let sum = || (0..2_000_000_u64).into_par_iter().map(std::hint::black_box);
    let (_, took) = cpu_time_of(|| sum().sum::<u64>());
    assert!(took > Duration::from_micros(100), "{took:?}");
}
