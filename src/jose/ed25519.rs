//! Ed25519 (RFC 8032): a key that is met again is checked with tables, in half the time.
//!
//! Rules of this file:
//! - strict, with tables and without: canonical S and R, no key and no R of low order (RFC 8032
//!   section 5.1.7; "Taming the many EdDSAs"); both ways decide alike, signature by signature (see
//!   the tests);
//! - everything here is public, so nothing has to take the same time for all values;
//! - tables are made when they begin to pay: most instances that start see few signatures.
//!
//! A table has the multiples of a point that the digits of a scalar can ask for. A digit has six
//! bits with a sign (-31 to 32), a row of the table is for four digits, which are three bytes of
//! the scalar, and the sum goes from the highest of each four to the lowest: 86 additions and 18
//! doublings in place of 253 doublings and 70 additions. A table is 55 KiB and takes as long to
//! make as three signatures to check.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use sha2::{Digest as _, Sha512};

/// Tables are made for the signature after this many that hold.
const SIGNATURES_WITHOUT: u32 = 3;
/// Multiples in a row: what a digit can be, its sign left aside.
const MULTIPLES: usize = 32;

/// The table of the base point: a constant that is too large to be downloaded.
static BASE: OnceLock<Table> = OnceLock::new();

/// A public key, not checked yet: one of low order, or that is no point, holds for no signature.
pub(crate) struct Key {
    bytes: [u8; 32],
    met: AtomicU32,
    /// Of the key's negative; nothing where the key is unusable.
    table: OnceLock<Option<Table>>,
}

impl Key {
    /// The key of these bytes.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, met: AtomicU32::new(0), table: OnceLock::new() }
    }

    /// Its bytes.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether this is its signature over the message.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = <&[u8; 64]>::try_from(signature) else {
            return false;
        };
        if self.met.load(Ordering::Relaxed) >= SIGNATURES_WITHOUT {
            return self.holds_by_table(message, signature);
        }
        let holds = self.holds_without_table(message, signature);
        // A table takes 56 KiB. Whoever forges signatures by all keys of a set shall not have them
        // made.
        self.met.fetch_add(u32::from(holds), Ordering::Relaxed);
        holds
    }

    fn holds_without_table(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        ed25519_dalek::VerifyingKey::from_bytes(&self.bytes)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }

    #[allow(clippy::arithmetic_side_effects)] // of points and scalars: nothing overflows
    fn holds_by_table(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Some(minus_key) = self.table.get_or_init(|| self.make_table()) else {
            return false;
        };
        let (Some((r, s)), Some(base)) =
            (signature.split_first_chunk::<32>(), Some(BASE.get_or_init(Table::of_base)))
        else {
            return false;
        };
        let s: Option<Scalar> =
            s.try_into().ok().and_then(|s| Scalar::from_canonical_bytes(s).into());
        let Some(s) = s else {
            return false;
        };
        let hash =
            Sha512::new().chain_update(r).chain_update(self.bytes).chain_update(message).finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let sum = sum(&[(base, digits(&s)), (minus_key, digits(&k))]);
        sum.compress().as_bytes() == r && !sum.is_small_order()
    }

    #[allow(clippy::arithmetic_side_effects)] // of points: nothing overflows
    fn make_table(&self) -> Option<Table> {
        let point =
            CompressedEdwardsY(self.bytes).decompress().filter(|point| !point.is_small_order())?;
        Some(Table::of(-point))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.bytes).finish()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Key {}

/// Rows of multiples of a point: 1 to 32 times the point, then 1 to 32 times 2^24 the point, and so
/// on.
struct Table {
    multiples: Vec<EdwardsPoint>,
}

impl Table {
    fn of_base() -> Self {
        Self::of(ED25519_BASEPOINT_POINT)
    }

    #[allow(clippy::arithmetic_side_effects)] // of points: nothing overflows
    fn of(mut point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(ROWS.saturating_mul(MULTIPLES));
        for _ in 0..ROWS {
            let row = std::iter::successors(Some(point), |multiple| Some(multiple + point))
                .take(MULTIPLES);
            multiples.extend(row);
            for _ in 0..8 {
                point = point.mul_by_cofactor();
            }
        }
        Self { multiples }
    }
}

/// Three bytes of a scalar each.
const ROWS: usize = 11;

/// The digits of a scalar: four to a row, the lowest first.
type Digits = [[i32; 4]; ROWS];

#[allow(clippy::arithmetic_side_effects)] // of numbers below 2^24; the last carry is none, because a scalar is below 2^253
fn digits(scalar: &Scalar) -> Digits {
    let mut digits = Digits::default();
    let mut carry = 0;
    for (bytes, row) in scalar.as_bytes().chunks(3).zip(&mut digits) {
        let mut word = bytes.iter().rev().fold(0, |word, byte| word << 8 | i32::from(*byte));
        for digit in row {
            *digit = (word & 63) + carry;
            carry = i32::from(*digit > 32);
            *digit -= carry << 6;
            word >>= 6;
        }
    }
    digits
}

/// The sum of the tables' points times these scalars.
#[allow(clippy::arithmetic_side_effects)] // of points: nothing overflows
fn sum(terms: &[(&Table, Digits); 2]) -> EdwardsPoint {
    let mut sum = EdwardsPoint::identity();
    for place in (0..4).rev() {
        if place < 3 {
            sum = sum.mul_by_cofactor().mul_by_cofactor();
        }
        for (table, digits) in terms {
            for (row, digits) in table.multiples.chunks_exact(MULTIPLES).zip(digits) {
                let digit = digits.get(place).copied().unwrap_or_default();
                let multiple = usize::try_from(digit.unsigned_abs())
                    .ok()
                    .and_then(|digit| row.get(digit.checked_sub(1)?));
                match multiple {
                    Some(multiple) if digit > 0 => sum += multiple,
                    Some(multiple) => sum -= multiple,
                    None => {}
                }
            }
        }
    }
    sum
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)] // of points and scalars: nothing overflows
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    /// Both ways in which a signature is checked, which must say the same.
    fn both(key: [u8; 32], message: &[u8], signature: [u8; 64]) -> bool {
        let key = Key::new(key);
        let holds = key.holds_without_table(message, &signature);
        assert_eq!(holds, key.holds_by_table(message, &signature), "{key:?} {signature:?}");
        holds
    }

    fn signature(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.iter_mut().zip(r.into_iter().chain(s)).for_each(|(to, from)| *to = from);
        signature
    }

    /// Numbers that look random.
    fn bytes(seed: u32, purpose: &str) -> [u8; 64] {
        Sha512::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize().into()
    }

    fn scalar(seed: u32, purpose: &str) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&bytes(seed, purpose))
    }

    #[test]
    fn with_tables_and_without_the_same_signatures_hold() {
        for seed in 0..60 {
            let signer = SigningKey::from_bytes(&scalar(seed, "key").to_bytes());
            let public = signer.verifying_key().to_bytes();
            let message = bytes(seed, "message");
            let good = signer.sign(&message).to_bytes();
            assert!(both(public, &message, good));
            assert!(!both(public, b"another message", good));
            for place in (0..64_usize).step_by(3) {
                let flip = |byte: &mut u8| *byte ^= 1 << (seed % 8);
                let (mut bad, mut other) = (good, public);
                bad.get_mut(place).into_iter().for_each(flip);
                other.get_mut(place / 2).into_iter().for_each(flip);
                assert!(!both(public, &message, bad));
                assert!(!both(other, &message, good));
            }
        }
    }

    #[test]
    fn keys_with_a_part_of_low_order_are_treated_alike() {
        let mut held = 0;
        for seed in 0..24 {
            for torsion in EIGHT_TORSION {
                let (a, r) = (scalar(seed, "a"), scalar(seed, "r"));
                let key = (EdwardsPoint::mul_base(&a) + torsion).compress().to_bytes();
                let sealed = EdwardsPoint::mul_base(&r).compress().to_bytes();
                let hash = Sha512::new()
                    .chain_update(sealed)
                    .chain_update(key)
                    .chain_update([7])
                    .finalize();
                let s = r + Scalar::from_bytes_mod_order_wide(&hash.into()) * a;
                held += u32::from(both(key, &[7], signature(sealed, s.to_bytes())));
            }
        }
        // Where the part of low order falls away, which by chance it does: always, or for one hash
        // in 2, 4 or 8.
        assert!((24..100).contains(&held), "{held}");
    }

    #[test]
    fn nothing_of_low_order_and_nothing_spelt_otherwise_holds() {
        let p = |more: u8| {
            let mut bytes = [0xff; 32];
            bytes.first_mut().into_iter().for_each(|first| *first = 0xed_u8.wrapping_add(more));
            bytes.last_mut().into_iter().for_each(|last| *last = 0x7f);
            bytes
        };
        let signs = |mut bytes: [u8; 32]| {
            bytes.last_mut().into_iter().for_each(|last| *last |= 0x80);
            bytes
        };
        let odd: Vec<[u8; 32]> = (0..19)
            .flat_map(|more| [p(more), signs(p(more))])
            .chain(EIGHT_TORSION.iter().flat_map(|point| {
                [point.compress().to_bytes(), signs(point.compress().to_bytes())]
            }))
            .collect();
        let honest = EdwardsPoint::mul_base(&scalar(1, "a")).compress().to_bytes();
        for point in &odd {
            for other in odd.iter().chain([&honest]) {
                for s in [Scalar::ZERO, Scalar::ONE, scalar(2, "s")] {
                    assert!(!both(*point, b"m", signature(*other, s.to_bytes())));
                    assert!(!both(*other, b"m", signature(*point, s.to_bytes())));
                }
            }
        }
    }

    /// The order of the group, added to S: the same number to who does not look closely.
    #[test]
    fn s_is_canonical() {
        let order = (-Scalar::ONE).to_bytes();
        let signer = SigningKey::from_bytes(&[3; 32]);
        let good = signer.sign(b"m").to_bytes();
        let mut more = good;
        let mut carry = 1_u16;
        for (byte, order) in more.iter_mut().skip(32).zip(order) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert!(both(signer.verifying_key().to_bytes(), b"m", good));
        assert!(!both(signer.verifying_key().to_bytes(), b"m", more));
    }

    #[test]
    fn a_key_that_is_met_again_still_refuses_bad_signatures() {
        let signer = SigningKey::from_bytes(&[5; 32]);
        let key = Key::new(signer.verifying_key().to_bytes());
        for number in 0..10_u8 {
            let good = signer.sign(&[number]).to_bytes();
            assert!(key.holds(&[number], &good));
            assert!(
                !key.holds(&[number, 0], &good)
                    && !key.holds(&[number], good.split_last().map_or(&[], |(_, most)| most))
            );
        }
        assert!(key.table.get().is_some_and(Option::is_some));
    }
}
