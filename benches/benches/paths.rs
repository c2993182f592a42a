//! `cargo bench -p proofkey-benches`, or one path: `cargo bench -p proofkey-benches -- 'token body'`.

use criterion::Criterion;
use proofkey_benches::paths;
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for path in paths::all() {
        let mut group = criterion.benchmark_group(path.name);
        for mut contender in path.contenders {
            group.bench_function(contender.name.as_str(), |bencher| {
                bencher.iter_custom(|calls| {
                    let mut time = Duration::ZERO;
                    let mut left = calls as usize;
                    while left > 0 {
                        let batch = left.min(path.batch);
                        time += contender.time(batch);
                        left -= batch;
                    }
                    time
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
