use super::*;
use std::sync::atomic::AtomicU64;

type Never = std::convert::Infallible;

fn numbers(n: u64) -> impl FnOnce(Put<'_, u64>) + Send {
    move |put| {
        for i in 0..n {
            if put(i).is_break() {
                break;
            }
        }
    }
}

fn slowly(i: u64) -> u64 {
    std::thread::sleep(Duration::from_micros(i * 7919 % 800));
    i
}

#[test]
fn results_come_in_order_and_none_is_missing() {
    for threads in [1, 3, 8] {
        let mut seen = Vec::new();
        in_order(threads, numbers(500), slowly, |event| {
            if let Event::Done(i) = event {
                seen.push(i);
            }
            Ok::<_, Never>(ControlFlow::Continue(()))
        })
        .unwrap();
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
    }
}

#[test]
fn a_slow_first_item_keeps_nobody_waiting_and_memory_bounded() {
    let (working, started) = (AtomicBool::new(true), AtomicU64::new(0));
    let most_ahead = AtomicU64::new(0);
    let mut seen = 0;
    in_order(
        2,
        numbers(1000),
        |i| {
            if i == 0 {
                // Until the other thread has nothing more to do.
                let mut before = u64::MAX;
                while started.load(Ordering::SeqCst) != before {
                    before = started.load(Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(300));
                }
                most_ahead.store(before, Ordering::SeqCst);
                working.store(false, Ordering::SeqCst);
            } else {
                started.fetch_add(1, Ordering::SeqCst);
            }
        },
        |event| {
            seen += u64::from(matches!(event, Event::Done(())));
            Ok::<_, Never>(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    assert_eq!((seen, most_ahead.into_inner()), (1000, AHEAD * 2 - 1));
}

#[test]
fn whoever_breaks_off_gets_what_is_in_work_and_no_more() {
    let started = AtomicU64::new(0);
    let mut seen = 0;
    let work = |i| {
        started.fetch_add(1, Ordering::SeqCst);
        slowly(i)
    };
    each(2, numbers(u64::MAX), work, |event| {
        seen += u64::from(matches!(event, Event::Done(_)));
        Ok::<_, Never>(if seen >= 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .unwrap();
    assert_eq!(seen, started.into_inner());
    assert!((20..40).contains(&seen), "{seen}");
}

#[test]
fn an_error_ends_it() {
    let mut seen = 0;
    let result = in_order(2, numbers(u64::MAX), slowly, |event| {
        seen += u64::from(matches!(event, Event::Done(_)));
        if seen == 5 { Err("enough") } else { Ok(ControlFlow::Continue(())) }
    });
    assert_eq!((result, seen), (Err("enough"), 5));
}

#[test]
fn a_panic_costs_one_item() {
    let mut seen = Vec::new();
    let work = |i| if i == 3 { panic!("hostile") } else { i };
    in_order(2, numbers(6), work, |event| {
        if let Event::Done(i) = event {
            seen.push(i);
        }
        Ok::<_, Never>(ControlFlow::Continue(()))
    })
    .unwrap();
    assert_eq!(seen, [0, 1, 2, 4, 5]);
}

#[test]
fn ticks_come_while_nothing_is_done() {
    let mut ticks = 0;
    let source = |put: Put<'_, ()>| {
        std::thread::sleep(TICK * 5);
        let _ = put(());
    };
    each(
        1,
        source,
        |()| (),
        |event| {
            ticks += u32::from(matches!(event, Event::Tick));
            Ok::<_, Never>(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    assert!(ticks >= 2, "{ticks}");
}

#[test]
fn no_more_is_lent_than_there_is_and_the_large_are_not_starved() {
    let budget = Budget::of(10);
    let (now, most, large) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (budget, now, most, large) = (&budget, &now, &most, &large);
            scope.spawn(move || {
                for i in 0..50 {
                    // One asks for more than there is at all.
                    let amount = if n == 0 { 25 } else { 1 + (n * i) % 5 };
                    let loan = budget.borrow(amount);
                    let sum = now.fetch_add(amount, Ordering::SeqCst) + amount;
                    assert!(sum <= 10 || sum == 25, "{sum}");
                    most.fetch_max(sum, Ordering::SeqCst);
                    large.fetch_add(u64::from(n == 0), Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(amount, Ordering::SeqCst);
                    drop(loan);
                }
            });
        }
    });
    assert_eq!((large.into_inner(), most.into_inner()), (50, 25));
}
