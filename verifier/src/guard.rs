//! Code of others that may panic on hostile input, kept from taking the program down.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; `None` if it panicked. Nothing is printed then: the hook is told which threads to ignore.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_is_an_absent_answer_also_when_nested() {
        let outer = guarded(|| {
            assert_eq!(guarded(|| panic!("inner")), None::<()>);
            assert!(GUARDED.get(), "the inner end must not end the outer guard");
            1
        });
        assert_eq!(outer, Some(1));
        assert!(!GUARDED.get());
    }
}
