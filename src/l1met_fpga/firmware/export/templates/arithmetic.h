// -- arithmetic ------------------------------------------------------------------------------------
// Codes are signed integers. Sums and products are taken modulo two to the width of the integer,
// which is exact wherever the result fits; the generator has chosen every integer so that it does.

template <class Int>
using Bits = std::make_unsigned_t<Int>;

/// Product modulo two to the width of the integer (a short one would be promoted to int).
template <class Unsigned>
constexpr Unsigned product(Unsigned a, Unsigned b) {
    if constexpr (sizeof(Unsigned) < sizeof(unsigned)) {
        return static_cast<Unsigned>(static_cast<unsigned>(a) * static_cast<unsigned>(b));
    } else {
        return a * b;
    }
}

/// x * 2**bits, modulo two to the width of the integer.
template <int bits, class Int>
constexpr Int shifted_left(Int x) {
    using Unsigned = std::common_type_t<Bits<Int>, unsigned>;
    return static_cast<Int>(static_cast<Unsigned>(static_cast<Bits<Int>>(x)) << bits);
}

enum class Rounding { trn, trn_zero, rnd, rnd_zero, rnd_inf, rnd_min_inf, rnd_conv };
enum class Overflow { wrap, saturate, zero };

/// x / 2**drop, rounded as ap_fixed does; a negative drop multiplies.
template <int drop, Rounding rounding, class Int>
constexpr Int shift_round(Int x) {
    if constexpr (drop <= 0) {
        return shifted_left<-drop>(x);
    } else if constexpr (rounding == Rounding::trn) {
        return static_cast<Int>(x >> drop);
    } else if constexpr (rounding == Rounding::rnd) {  // the highest dropped bit decides
        return static_cast<Int>(((x >> (drop - 1)) + 1) >> 1);
    } else {
        const Int floor = static_cast<Int>(x >> drop);
        const Int rest = static_cast<Int>(x - shifted_left<drop>(floor));
        const Int half = shifted_left<drop - 1>(Int{1});
        bool up = rest > half;
        if constexpr (rounding == Rounding::trn_zero) up = x < 0 && rest > 0;
        if constexpr (rounding == Rounding::rnd_inf) up = up || (rest == half && x >= 0);
        if constexpr (rounding == Rounding::rnd_zero) up = up || (rest == half && x < 0);
        if constexpr (rounding == Rounding::rnd_conv) up = up || (rest == half && (floor & 1));
        return static_cast<Int>(floor + up);
    }
}

/// Bring a code into low..high; of a wrapping type these are all its codes.
template <Overflow overflow, std::int64_t low, std::int64_t high, class Int>
constexpr Int limited(Int x) {
    constexpr Int lowest = static_cast<Int>(low);
    constexpr Int highest = static_cast<Int>(high);
    if constexpr (overflow == Overflow::saturate) {
        return x < lowest ? lowest : x > highest ? highest : x;
    } else if constexpr (overflow == Overflow::zero) {
        return x < lowest || x > highest ? Int{0} : x;
    } else {
        constexpr Bits<Int> first = static_cast<Bits<Int>>(low);
        constexpr Bits<Int> mask = static_cast<Bits<Int>>(high - low);
        return static_cast<Int>(first + ((static_cast<Bits<Int>>(x) - first) & mask));
    }
}

/// One code in another type: x has `drop` fraction bits more than the result; Wide holds all steps.
template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low,
          std::int64_t high, class Int>
constexpr Wide converted(Int x) {
    return limited<overflow, low, high>(shift_round<drop, rounding>(static_cast<Wide>(x)));
}

// -- operations on tensors: [channel][lane] ----------------------------------------------------------

template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low,
          std::int64_t high, class X, class Y, std::size_t channels, std::size_t lanes>
inline void quantize(const X (&x)[channels][lanes], Y (&y)[channels][lanes]) {
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = 0; i < lanes; ++i) {
            y[c][i] = static_cast<Y>(
                converted<Wide, drop, rounding, overflow, low, high>(x[c][i]));
        }
    }
}

/// y = kernel x + bias; of output c the terms first[c]..first[c + 1] - 1 are not zero.
template <class X, class Y, std::size_t inputs, std::size_t outputs, std::size_t lanes>
inline void dense(const X (&x)[inputs][lanes], Y (&y)[outputs][lanes],
                  const std::uint32_t* first, const std::uint16_t* input, const Y* weight,
                  const Y* bias) {
    using U = Bits<Y>;
    for (std::size_t c = 0; c < outputs; ++c) {
        U sum[lanes];
        for (std::size_t i = 0; i < lanes; ++i) sum[i] = static_cast<U>(bias[c]);
        for (std::uint32_t t = first[c]; t < first[c + 1]; ++t) {
            const U w = static_cast<U>(weight[t]);
            const X* row = x[input[t]];
            for (std::size_t i = 0; i < lanes; ++i) {
                sum[i] = static_cast<U>(sum[i] + product(w, static_cast<U>(row[i])));
            }
        }
        for (std::size_t i = 0; i < lanes; ++i) y[c][i] = static_cast<Y>(sum[i]);
    }
}

template <class X, class Y, std::size_t channels, std::size_t lanes>
inline void look_up(const X (&x)[channels][lanes], Y (&y)[channels][lanes], const Y* table,
                    std::int64_t lowest) {
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = 0; i < lanes; ++i) y[c][i] = table[x[c][i] - lowest];
    }
}

/// Elementwise product; the second factor has as many channels as the first, or one.
template <int left, class A, class B, class Y, std::size_t channels, std::size_t factors,
          std::size_t lanes>
inline void multiply(const A (&a)[channels][lanes], const B (&b)[factors][lanes],
                     Y (&y)[channels][lanes]) {
    static_assert(factors == channels || factors == 1);
    using U = Bits<Y>;
    for (std::size_t c = 0; c < channels; ++c) {
        const B* factor = b[factors == 1 ? 0 : c];
        for (std::size_t i = 0; i < lanes; ++i) {
            const U p = product(static_cast<U>(a[c][i]), static_cast<U>(factor[i]));
            y[c][i] = shifted_left<left>(static_cast<Y>(p));
        }
    }
}

/// Add a[i] b[j], summed over the lanes, to sum[i * B + j].
template <class U, class A, class B, std::size_t as, std::size_t bs, std::size_t lanes>
inline void add_products(const A (&a)[as][lanes], const B (&b)[bs][lanes], U (&sum)[as * bs]) {
    for (std::size_t i = 0; i < as; ++i) {
        for (std::size_t j = 0; j < bs; ++j) {
            U total = 0;
            for (std::size_t k = 0; k < lanes; ++k) {
                total = static_cast<U>(
                    total + product(static_cast<U>(a[i][k]), static_cast<U>(b[j][k])));
            }
            sum[i * bs + j] = static_cast<U>(sum[i * bs + j] + total);
        }
    }
}

/// A finished sum as a tensor of one lane: sign * sum * 2**left.
template <int sign, int left, class U, class Y, std::size_t channels>
inline void take_sum(const U (&sum)[channels], Y (&y)[channels][1]) {
    for (std::size_t c = 0; c < channels; ++c) {
        const U code = sign < 0 ? static_cast<U>(U{0} - sum[c]) : sum[c];
        y[c][0] = shifted_left<left>(static_cast<Y>(code));
    }
}

/// y[a] = 2**left * sum_k c[k] v[2 k + a].
template <int left, class C, class V, class Y, std::size_t pools>
inline void combine(const C (&c)[pools][1], const V (&v)[2 * pools][1], Y (&y)[2][1]) {
    using U = Bits<Y>;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        U sum = 0;
        for (std::size_t k = 0; k < pools; ++k) {
            sum = static_cast<U>(
                sum + product(static_cast<U>(c[k][0]), static_cast<U>(v[2 * k + axis][0])));
        }
        y[axis][0] = shifted_left<left>(static_cast<Y>(sum));
    }
}

/// px, py: pt times cosine and sine of a full turn in 1440 counts, rounded into the result's type.
template <class Wide, int drop, Rounding rounding, Overflow overflow, std::int64_t low,
          std::int64_t high, class X, class Y, class Cos, std::size_t lanes>
inline void project(const X (&pt)[1][lanes], const X (&phi)[1][lanes], Y (&p)[2][lanes],
                    const Cos& cos_of_turn) {
    for (std::size_t i = 0; i < lanes; ++i) {
        const int angle = phi[0][i] < 0 ? phi[0][i] + 1440 : phi[0][i];
        const int behind = angle < 360 ? angle + 1080 : angle - 360;  // sin x = cos (x - 90 deg)
        const Wide px = static_cast<Wide>(pt[0][i] * static_cast<Wide>(cos_of_turn[angle]));
        const Wide py = static_cast<Wide>(pt[0][i] * static_cast<Wide>(cos_of_turn[behind]));
        p[0][i] = static_cast<Y>(converted<Wide, drop, rounding, overflow, low, high>(px));
        p[1][i] = static_cast<Y>(converted<Wide, drop, rounding, overflow, low, high>(py));
    }
}

/// Cosine of a full turn from that of its first quarter, both ends included.
template <class Int, std::size_t size>
constexpr std::array<Int, 4 * (size - 1)> full_turn(const Int (&quarter)[size]) {
    std::array<Int, 4 * (size - 1)> turn{};
    const std::size_t n = size - 1;
    for (std::size_t i = 0; i < n; ++i) {
        turn[i] = quarter[i];
        turn[n + i] = static_cast<Int>(-quarter[n - i]);
        turn[2 * n + i] = static_cast<Int>(-quarter[i]);
        turn[3 * n + i] = quarter[n - i];
    }
    return turn;
}
