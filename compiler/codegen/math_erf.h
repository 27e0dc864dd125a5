/* math_erf.h: exp(x^2) erfc(x) for 1 <= x <= 6.5, as a polynomial in t = (x - 3) / (x + 3), constant first: a Chebyshev fit in
 * 60 digits, relative error below 1e-16. */
#ifndef ESPALIER_CODEGEN_MATH_ERF_H
#define ESPALIER_CODEGEN_MATH_ERF_H

static const double erfc_fit[] = {
    0x1.6e9827d229d2dp-3,   -0x1.4e102b9cf8513p-2, 0x1.f6ff204105974p-3,  -0x1.336ffbef08b4bp-3,
    0x1.258b13b017aa4p-4,   -0x1.8fa58eb5d9692p-6, 0x1.17c838ee81effp-8,  0x1.73101e78ce0dap-11,
    -0x1.39084c56550e3p-11, 0x1.7ba1034ac2c3ap-15, 0x1.0cac3415357fap-14, -0x1.af86b9c95c571p-17,
    -0x1.0bb3d8a4d431cp-17, 0x1.1c850b56d14f7p-19, 0x1.5042ab515541bp-20, -0x1.3a3fc028bb1e2p-22,
    -0x1.f830a1c3556efp-23, 0x1.96483bcf9733ap-26, 0x1.7a5453ae38983p-25, 0x1.213dedea63f7bp-27};

#endif
