//! Numbers of the text formats: quicker than `{}` of a float, and the same on every machine.

/// Appends millimetres to a tenth of a micrometre, without trailing zeros.
pub(crate) fn push_mm(out: &mut String, mm: f64) {
    push_fixed(out, (mm * 1e4).round() as i64);
}

/// Appends ten-thousandths as a decimal number.
fn push_fixed(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    let value = value.unsigned_abs();
    push_digits(out, value / 10_000);
    let mut rest = value % 10_000;
    if rest > 0 {
        out.push('.');
    }
    while rest > 0 {
        out.push(digit(rest / 1000));
        rest = rest % 1000 * 10;
    }
}

fn push_digits(out: &mut String, value: u64) {
    if value >= 10 {
        push_digits(out, value / 10);
    }
    out.push(digit(value % 10));
}

fn digit(value: u64) -> char {
    char::from(b'0' + (value % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_short_as_can_be() {
        for (mm, text) in [(0.0, "0"), (4.9, "4.9"), (0.1 + 0.2, "0.3"), (-0.05, "-0.05"), (123.45678, "123.4568")] {
            let mut out = String::new();
            push_mm(&mut out, mm);
            assert_eq!(out, text);
        }
    }
}
