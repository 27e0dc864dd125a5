#include "base/element.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} types[RT_ELEMENT_COUNT] = {
    [RT_F64] = {"F64", 8},   [RT_F32] = {"F32", 4},         [RT_F16] = {"F16", 2},
    [RT_BF16] = {"BF16", 2}, [RT_F8_E4M3] = {"F8_E4M3", 1}, [RT_F8_E5M2] = {"F8_E5M2", 1},
    [RT_I64] = {"I64", 8},   [RT_I32] = {"I32", 4},         [RT_I16] = {"I16", 2},
    [RT_I8] = {"I8", 1},     [RT_U64] = {"U64", 8},         [RT_U32] = {"U32", 4},
    [RT_U16] = {"U16", 2},   [RT_U8] = {"U8", 1},           [RT_BOOL] = {"BOOL", 1},
};

size_t rt_element_bytes(rt_element type)
{
    return types[type].bytes;
}

const char *rt_element_name(rt_element type)
{
    return types[type].name;
}

bool rt_element_named(const char *name, rt_element *type)
{
    for (int i = 0; i < RT_ELEMENT_COUNT; i++)
        if (strcmp(types[i].name, name) == 0) {
            *type = (rt_element)i;
            return true;
        }
    return false;
}

/* A small float: sign, exponent of `exponent_bits`, mantissa of `mantissa_bits`. */
static double small_float(uint32_t bits, int exponent_bits, int mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1, most = (1 << exponent_bits) - 1;
    int exponent = (int)(bits >> mantissa_bits) & most;
    uint32_t mantissa = bits & ((1u << mantissa_bits) - 1);
    double sign = bits >> (exponent_bits + mantissa_bits) & 1 ? -1.0 : 1.0;
    if (exponent == 0)
        return sign * ldexp((double)mantissa, 1 - bias - mantissa_bits);
    if (exponent == most)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    return sign * ldexp((double)(mantissa | 1u << mantissa_bits), exponent - bias - mantissa_bits);
}

/* e4m3 uses its largest exponent for numbers, and one pattern for NaN. */
static double e4m3(uint32_t bits)
{
    double sign = bits & 0x80 ? -1.0 : 1.0;
    if ((bits & 0x7f) == 0x7f)
        return (double)NAN;
    if ((bits & 0x78) == 0x78)
        return sign * (double)(8 + (bits & 7)) * 32;
    return small_float(bits, 4, 3);
}

static double bits_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double rt_element_value(rt_element type, const uint8_t *bytes, bool big_endian)
{
    uint64_t bits = 0;
    size_t size = types[type].bytes;
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[big_endian ? size - 1 - i : i] << (8 * i);
    switch (type) {
    case RT_F64:
        return bits_double(bits);
    case RT_F32:
        return (double)bits_float((uint32_t)bits);
    case RT_F16:
        return small_float((uint32_t)bits, 5, 10);
    case RT_BF16:
        return (double)bits_float((uint32_t)bits << 16);
    case RT_F8_E4M3:
        return e4m3((uint32_t)bits);
    case RT_F8_E5M2:
        return small_float((uint32_t)bits, 5, 2);
    case RT_I64:
        return (double)(int64_t)bits;
    case RT_I32:
        return (double)(int32_t)bits;
    case RT_I16:
        return (double)(int16_t)bits;
    case RT_I8:
        return (double)(int8_t)bits;
    case RT_BOOL:
        return bits != 0;
    case RT_U64:
    case RT_U32:
    case RT_U16:
    case RT_U8:
    case RT_ELEMENT_COUNT:
        break;
    }
    return (double)bits;
}

void rt_elements_to_float(rt_element type, const uint8_t *bytes, float *values, size_t count)
{
    if (type == RT_F32) {
        memcpy(values, bytes, count * sizeof *values);
        return;
    }
    size_t size = types[type].bytes;
    for (size_t i = 0; i < count; i++)
        values[i] = (float)rt_element_value(type, bytes + i * size, false);
}

static uint16_t to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static uint16_t to_f16(float value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs((double)value);
    if (isnan(value))
        return sign | 0x7e00;
    if (size >= 65520) /* halfway between the largest number and the next power of two */
        return sign | 0x7c00;
    int exponent = 0;
    frexp(size, &exponent);
    if (exponent < -13)
        exponent = -13; /* subnormals share the smallest exponent */
    /* nearbyint rounds half to even; a carry into the exponent is what addition does. */
    uint32_t scaled = (uint32_t)nearbyint(ldexp(size, 11 - exponent));
    if (scaled < 1024)
        return (uint16_t)(sign | scaled);
    return (uint16_t)(sign | (scaled + ((uint32_t)(exponent + 13) << 10)));
}

bool rt_elements_from_float(rt_element type, const float *values, uint8_t *bytes, size_t count)
{
    if (type != RT_F32 && type != RT_F64 && type != RT_F16 && type != RT_BF16)
        return false;
    for (size_t i = 0; i < count; i++) {
        double wide = (double)values[i];
        uint16_t narrow = type == RT_F16 ? to_f16(values[i]) : to_bf16(values[i]);
        if (type == RT_F32)
            memcpy(bytes + 4 * i, &values[i], 4);
        else if (type == RT_F64)
            memcpy(bytes + 8 * i, &wide, 8);
        else
            memcpy(bytes + 2 * i, &narrow, 2);
    }
    return true;
}
