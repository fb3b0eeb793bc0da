//! The curves of ECDSA keys (RFC 7518 section 6.2.1.1), and whether a point is on the one that its
//! key names.
//!
//! A platform asks the same when it takes a key, and says no in the middle of a request: nobody can
//! tell then whether the key is bad or the platform. Asked here, such a key is left out of its set
//! like any other odd one.
//!
//! Everything here is public, so nothing has to take the same time for all values.

/// A curve y² = x³ − cx + b modulo p (FIPS 186-4 appendix D.1.2).
pub(crate) struct Curve {
    /// `crv`.
    pub(crate) name: &'static str,
    /// Bytes of a coordinate.
    length: usize,
    p: Number,
    /// 3 for the curves of NIST, 0 for Koblitz curves such as secp256k1.
    c: u8,
    b: Number,
}

/// Words of 64 bits, the lowest first: enough for 521 bits and a carry.
type Number = [u64; 9];

const ONES: u64 = u64::MAX;

#[rustfmt::skip] // as tables
static CURVES: &[Curve] = &[
    Curve {
        name: "P-256",
        length: 32,
        p: [ONES, 0xffff_ffff, 0, 0xffff_ffff_0000_0001, 0, 0, 0, 0, 0],
        c: 3,
        b: [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7, 0, 0, 0, 0, 0],
    },
    Curve {
        name: "P-384",
        length: 48,
        p: [0xffff_ffff, 0xffff_ffff_0000_0000, ONES - 1, ONES, ONES, ONES, 0, 0, 0],
        c: 3,
        b: [
            0x2a85_c8ed_d3ec_2aef, 0xc656_398d_8a2e_d19d, 0x0314_088f_5013_875a, 0x181d_9c6e_fe81_4112, 0x988e_056b_e3f8_2d19,
            0xb331_2fa7_e23e_e7e4, 0, 0, 0,
        ],
    },
    Curve {
        name: "P-521",
        length: 66,
        p: [ONES, ONES, ONES, ONES, ONES, ONES, ONES, ONES, 0x1ff],
        c: 3,
        b: [
            0xef45_1fd4_6b50_3f00, 0x3573_df88_3d2c_34f1, 0x1652_c0bd_3bb1_bf07, 0x5619_3951_ec7e_937b, 0xb8b4_8991_8ef1_09e1,
            0xa2da_725b_99b3_15f3, 0x929a_21a0_b685_40ee, 0x953e_b961_8e1c_9a1f, 0x51,
        ],
    },
];

impl Curve {
    /// The curve of this name.
    pub(crate) fn of(name: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.name == name)
    }

    /// Whether there is such a point: big-endian coordinates of full length, below p, that fulfil
    /// the equation.
    pub(crate) fn has(&self, x: &[u8], y: &[u8]) -> bool {
        let coordinate = |bytes: &[u8]| {
            let number = number(bytes);
            (bytes.len() == self.length && less(&number, &self.p).1).then_some(number)
        };
        let (Some(x), Some(y)) = (coordinate(x), coordinate(y)) else {
            return false;
        };
        let cube = self.product(&x, &self.product(&x, &x));
        let square = self.product(&y, &y);
        let left = (0..self.c).fold(square, |sum, _| self.sum(&sum, &x));
        left == self.sum(&cube, &self.b)
    }

    /// a + b modulo p, of numbers below p.
    fn sum(&self, a: &Number, b: &Number) -> Number {
        let mut sum = Number::default();
        let mut carry = false;
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            (*sum, carry) = a.carrying_add(*b, carry);
        }
        match less(&sum, &self.p) {
            (_, true) => sum,
            (rest, false) => rest,
        }
    }

    /// a · b modulo p, of numbers below p: bit by bit, because a key is read once.
    fn product(&self, a: &Number, b: &Number) -> Number {
        let mut product = Number::default();
        for word in b.iter().rev().skip_while(|word| **word == 0) {
            for bit in (0..64).rev() {
                product = self.sum(&product, &product);
                if word >> bit & 1 == 1 {
                    product = self.sum(&product, a);
                }
            }
        }
        product
    }
}

/// a − b, and whether that is below zero.
fn less(a: &Number, b: &Number) -> (Number, bool) {
    let mut rest = Number::default();
    let mut borrow = false;
    for ((rest, a), b) in rest.iter_mut().zip(a).zip(b) {
        (*rest, borrow) = a.borrowing_sub(*b, borrow);
    }
    (rest, borrow)
}

fn number(bytes: &[u8]) -> Number {
    let mut number = Number::default();
    for (word, bytes) in number.iter_mut().zip(bytes.rchunks(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base points of FIPS 186-4 appendix D.1.2.
    const POINTS: [(&str, &str, &str); 3] = [
        (
            "P-256",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            "P-384",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            "P-521",
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<char> = hex.chars().collect();
        digits
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
            .collect()
    }

    #[test]
    fn base_points_are_on_their_curves_and_on_no_other() {
        for (name, x, y) in POINTS {
            let (x, y) = (bytes(x), bytes(y));
            for curve in CURVES {
                assert_eq!(curve.has(&x, &y), curve.name == name, "{name} on {}", curve.name);
            }
        }
        assert!(
            Curve::of("secp256k1").is_none()
                && Curve::of("p-256").is_none()
                && Curve::of("").is_none()
        );
    }

    #[test]
    fn a_point_with_a_bit_turned_is_off_its_curve() {
        for (name, x, y) in POINTS {
            let (x, y) = (bytes(x), bytes(y));
            for place in 0..x.len() {
                let turned = |bytes: &[u8]| {
                    let mut bytes = bytes.to_vec();
                    bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1);
                    bytes
                };
                assert!(
                    Curve::of(name).is_some_and(
                        |curve| !curve.has(&turned(&x), &y) && !curve.has(&x, &turned(&y))
                    ),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_coordinate_has_one_spelling() {
        for (name, x, y) in POINTS {
            let (Some(curve), x, y) = (Curve::of(name), bytes(x), bytes(y)) else { continue };
            assert!(curve.has(&x, &y));
            assert!(
                !curve.has(&[&[0], &x[..]].concat(), &y)
                    && !curve.has(x.split_first().map_or(&[], |(_, rest)| rest), &y)
            );
            assert!(
                !curve.has(&[], &[])
                    && !curve.has(&vec![0; x.len()], &vec![0; y.len()])
                    && !curve.has(&vec![255; x.len()], &y)
            );
        }
        // 66 bytes have room for x + p, which is x + 2^521 - 1: the same point to who does not look
        // closely.
        let [_, _, (name, x, y)] = POINTS;
        let mut more = bytes(x);
        more.first_mut().into_iter().for_each(|first| *first |= 2);
        more.last_mut().into_iter().for_each(|last| *last = last.wrapping_sub(1));
        assert!(Curve::of(name).is_some_and(|curve| !curve.has(&more, &bytes(y))));
    }

    /// What RustCrypto's curves say of the same bytes.
    fn is_point(curve: &Curve, x: &[u8], y: &[u8]) -> bool {
        let point = [&[4], x, y].concat();
        match curve.name {
            "P-256" => p256::PublicKey::from_sec1_bytes(&point).is_ok(),
            "P-384" => p384::PublicKey::from_sec1_bytes(&point).is_ok(),
            _ => p521::PublicKey::from_sec1_bytes(&point).is_ok(),
        }
    }

    /// The two points with this x, where there are any: RustCrypto takes the square root.
    fn decompressed(curve: &Curve, x: &[u8]) -> Vec<Vec<u8>> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let point = |parity: u8| {
            let point = [&[parity], x].concat();
            let bytes = match curve.name {
                "P-256" => p256::PublicKey::from_sec1_bytes(&point)
                    .ok()?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
                "P-384" => p384::PublicKey::from_sec1_bytes(&point)
                    .ok()?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
                _ => p521::PublicKey::from_sec1_bytes(&point)
                    .ok()?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
            };
            bytes.get(x.len().saturating_add(1)..).map(<[u8]>::to_vec)
        };
        [2, 3].into_iter().filter_map(point).collect()
    }

    /// p and so much.
    fn past(curve: &Curve, value: u64) -> Number {
        let (mut past, mut carry) = (curve.p, value);
        for word in &mut past {
            let (sum, has_carry) = word.overflowing_add(carry);
            (*word, carry) = (sum, u64::from(has_carry));
        }
        past
    }

    fn big_endian(number: &Number, length: usize) -> Vec<u8> {
        let bytes: Vec<u8> = number.iter().rev().flat_map(|word| word.to_be_bytes()).collect();
        bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default().to_vec()
    }

    #[test]
    fn rustcrypto_sees_the_same_points_at_random_and_at_the_edges() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let (mut on, mut off) = (0, 0);
        for curve in CURVES {
            let small = |value: u64| [value, 0, 0, 0, 0, 0, 0, 0, 0];
            // From 0 up, from p down, and just past p.
            let mut numbers: Vec<Number> = (0..24).map(small).collect();
            numbers.extend((1..24).map(|value| less(&curve.p, &small(value)).0));
            numbers.extend((0..4).map(|value| past(curve, value)));
            let mut coordinates: Vec<Vec<u8>> =
                numbers.iter().map(|number| big_endian(number, curve.length)).collect();
            coordinates.extend((0..24).map(|_| {
                let words: Number = std::array::from_fn(|_| random());
                let mut bytes = big_endian(&words, curve.length);
                // P-521 has one bit in its first byte but one.
                if curve.length == 66
                    && let Some((first, _)) = bytes.split_first_mut()
                {
                    *first &= 1;
                }
                bytes
            }));
            // The same point with p added to its x is no point.
            for value in 0..24 {
                let (x, more) = (
                    big_endian(&small(value), curve.length),
                    big_endian(&past(curve, value), curve.length),
                );
                for y in decompressed(curve, &x) {
                    assert!(
                        curve.has(&x, &y) && !curve.has(&more, &y) && !is_point(curve, &more, &y),
                        "{}: {value}",
                        curve.name
                    );
                }
            }
            for x in &coordinates {
                let mut ys = decompressed(curve, x);
                ys.extend(coordinates.iter().take(8).cloned());
                for y in &ys {
                    let mut turned = y.clone();
                    turned.last_mut().into_iter().for_each(|last| *last ^= 1);
                    for (x, y) in [(x, y), (x, &turned), (y, x)] {
                        let expected = is_point(curve, x, y);
                        assert_eq!(curve.has(x, y), expected, "{}: {x:02x?} {y:02x?}", curve.name);
                        if expected { on += 1 } else { off += 1 }
                    }
                }
            }
        }
        println!("{on} points on their curves, {off} off them");
        assert!(on > 150 && off > 1000, "{on} on, {off} off");
    }
}
