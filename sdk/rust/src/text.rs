//! Amounts as people write them: whole numbers in the smallest unit inside, digits and a point outside, never floating point.

/// Reads "12.34" as 1234 with two decimals; fewer decimals may stand there, more may not. None when it is no such amount or does not fit.
pub fn parse_fixed(text: &str, decimals: u32) -> Option<u64> {
    let (mut value, mut after, mut point, mut digit) = (0u64, 0, false, false);
    for c in text.bytes() {
        if c == b'.' && !point && digit && decimals > 0 {
            (point, digit) = (true, false);
            continue;
        }
        if !c.is_ascii_digit() || (point && after == decimals) {
            return None;
        }
        after += u32::from(point);
        value = value.checked_mul(10)?.checked_add(u64::from(c - b'0'))?;
        digit = true;
    }
    digit.then_some(())?;
    value.checked_mul(10u64.checked_pow(decimals - after)?)
}

/// Writes 1234 as "12.34" with two decimals.
pub fn fixed(value: u64, decimals: u32) -> String {
    if decimals == 0 {
        return value.to_string();
    }
    let unit = 10u64.pow(decimals);
    format!("{}.{:0width$}", value / unit, value % unit, width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        assert_eq!(parse_fixed("12.34", 2), Some(1234));
        assert_eq!(parse_fixed("12.3", 2), Some(1230));
        assert_eq!(parse_fixed("12", 2), Some(1200));
        assert_eq!(parse_fixed("18446744073709551615", 0), Some(u64::MAX));
        for wrong in ["", ".", ".5", "1.", "1.001", "-1", "1,5", "1e2", "1.2.3", "18446744073709551616"] {
            assert_eq!(parse_fixed(wrong, 2), None, "{wrong}");
        }
        assert_eq!(fixed(1234, 2), "12.34");
        assert_eq!(fixed(5, 2), "0.05");
        assert_eq!(fixed(5, 0), "5");
        assert_eq!(parse_fixed("1.5", 0), None);
    }
}
