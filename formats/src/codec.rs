//! A bounded cursor over bytes, and the variable-length integer of the mark.

/// Why bytes could not be taken from a [`Reader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fewer bytes are left than asked for.
    Truncated,
    /// A LEB128 integer with needless trailing zero groups.
    NotShortest,
    /// A LEB128 integer beyond the range allowed here.
    OutOfRange,
}

/// Bytes not yet read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Bytes left.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(Fault::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(Fault::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_be_bytes)
    }

    /// Unsigned LEB128 (DWARF 5, section 7.6), at most `max`, in its shortest form only.
    pub(crate) fn leb128(&mut self, max: u64) -> Result<u64, Fault> {
        let mut value = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7F) << shift;
            if value > max {
                return Err(Fault::OutOfRange);
            }
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(Fault::NotShortest) } else { Ok(value) };
            }
        }
        Err(Fault::OutOfRange)
    }
}

/// Appends `value` as unsigned LEB128 in its shortest form.
pub(crate) fn put_leb128(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leb128_has_one_form_for_each_value() {
        for value in [0, 1, 127, 128, 16_383, 16_384, (1 << 53) - 1] {
            let mut bytes = Vec::new();
            put_leb128(&mut bytes, value);
            assert_eq!(Reader::new(&bytes).leb128((1 << 53) - 1), Ok(value));
            let last = bytes.len() - 1;
            bytes[last] |= 0x80;
            bytes.push(0);
            assert_eq!(Reader::new(&bytes).leb128((1 << 53) - 1), Err(Fault::NotShortest));
        }
        assert_eq!(Reader::new(&[0x80]).leb128(9), Err(Fault::Truncated));
        assert_eq!(Reader::new(&[10]).leb128(9), Err(Fault::OutOfRange));
        assert_eq!(Reader::new(&[0x80; 20]).leb128(u64::MAX), Err(Fault::OutOfRange));
    }
}
