/* operator_cases.h: every operator that has a gradient, as a text over named dimensions, and the sizes to try it on. */
#ifndef ESPALIER_TESTS_SUPPORT_OPERATOR_CASES_H
#define ESPALIER_TESTS_SUPPORT_OPERATOR_CASES_H

#include <stdbool.h>

/* Dimensions: A, B, C as the grid says, and sizes made from them:
 * M = A B, N = A + B, P: A padded (2 in front, 1 behind, stride 2), S: every second of A from 1,
 * X = 3 + 2 A, Y = X convolved (window 3, stride 2, padding 1, dilation 1), W = 3, G = 2 B, L = 3. */
typedef struct gradient_case {
    const char *name;
    const char *variables; /* "x[A B] w[B C]": %0, %1, … */
    const char *lines;     /* operators from %10 on */
    int result;
    enum { ANY, POSITIVE } range;
    bool empty; /* holds for size 0 too */
} gradient_case;

static const gradient_case cases[] = {
    {"cast", "x[A B]", "%10 = cast %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"neg", "x[A B]", "%10 = neg %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"abs", "x[A B]", "%10 = abs %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"exp", "x[A B]", "%10 = exp %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"log", "x[A B]", "%10 = log %0[a b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"log1p", "x[A B]", "%10 = log1p %0[a b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"sqrt", "x[A B]", "%10 = sqrt %0[a b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"rsqrt", "x[A B]", "%10 = rsqrt %0[a b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"sin", "x[A B]", "%10 = sin %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"cos", "x[A B]", "%10 = cos %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"tanh", "x[A B]", "%10 = tanh %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"sigmoid", "x[A B]", "%10 = sigmoid %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"erf", "x[A B]", "%10 = erf %0[a b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"add, broadcast", "x[A B] y[B C]", "%10 = add %0[a b], %1[b c] -> [a b c] : f64[A, B, C]", 10,
     ANY, true},
    {"sub, broadcast", "x[A B] y[B]", "%10 = sub %0[a b], %1[b] -> [a b] : f64[A, B]", 10, ANY,
     true},
    {"mul, broadcast", "x[A] y[B C]", "%10 = mul %0[a], %1[b c] -> [c a b] : f64[C, A, B]", 10, ANY,
     true},
    {"mul by itself", "x[A]", "%10 = mul %0[a], %0[a] -> [a] : f64[A]", 10, ANY, true},
    {"div", "x[A B] y[B]", "%10 = div %0[a b], %1[b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"mod", "x[A B] y[B]", "%10 = mod %0[a b], %1[b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"pow", "x[A B] y[B]", "%10 = pow %0[a b], %1[b] -> [a b] : f64[A, B]", 10, POSITIVE, true},
    {"pow by a number", "x[A]",
     "%10 = constant value=3 -> [] : f64\n%11 = pow %0[a], %10 -> [a] : f64[A]", 11, ANY, true},
    {"pow by two", "x[A]",
     "%10 = constant value=2 -> [] : f64\n%11 = pow %0[a], %10 -> [a] : f64[A]", 11, ANY, true},
    {"max", "x[A B] y[B]", "%10 = max %0[a b], %1[b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"min", "x[A B] y[B]", "%10 = min %0[a b], %1[b] -> [a b] : f64[A, B]", 10, ANY, true},
    {"relu", "x[A B]",
     "%10 = constant value=0 -> [] : f64\n%11 = max %0[a b], %10 -> [a b] : f64[A, B]", 11, ANY,
     true},
    {"where", "x[A] y[A B]",
     "%10 = index -> [a] : i32[A]\n%11 = constant value=1 -> [] : i32\n"
     "%12 = lt %10[a], %11 -> [a] : bool[A]\n%13 = where %12[a], %0[a], %1[a b] -> [a b] : f64[A, "
     "B]",
     13, ANY, true},
    {"sum", "x[A B C]", "%10 = sum %0[a b c] -> [c a] : f64[C, A]", 10, ANY, true},
    {"sum to a scalar", "x[A B]", "%10 = sum %0[a b] -> [] : f64", 10, ANY, true},
    {"reduce_max", "x[A B C]", "%10 = reduce_max %0[a b c] -> [a c] : f64[A, C]", 10, ANY, false},
    {"reduce_min", "x[A B]", "%10 = reduce_min %0[a b] -> [b] : f64[B]", 10, ANY, false},
    {"dot", "x[A B] w[B C]", "%10 = dot %0[a b], %1[b c] -> [a c] : f64[A, C]", 10, ANY, true},
    {"dot, batched", "x[C A B] w[C B A]",
     "%10 = dot %0[c a b], %1[c b d] -> [c a d] : f64[C, A, A]", 10, ANY, true},
    {"dot over two", "x[A B C] w[C B]", "%10 = dot %0[a b c], %1[c b] -> [a] : f64[A]", 10, ANY,
     true},
    {"outer product", "x[A] w[B]", "%10 = dot %0[a], %1[b] -> [b a] : f64[B, A]", 10, ANY, true},
    {"broadcast", "x[B]", "%10 = broadcast %0[b] -> [a b c] : f64[A, B, C]", 10, ANY, true},
    {"reshape, merge", "x[A B C]", "%10 = reshape %0[_ _ c] -> [_ c] : f64[M, C]", 10, ANY, true},
    {"reshape, split", "x[M C]", "%10 = reshape %0[_ c] -> [_ _ c] : f64[B, A, C]", 10, ANY, true},
    {"transpose", "x[A B C]", "%10 = transpose %0[a b c] -> [c a b] : f64[C, A, B]", 10, ANY, true},
    {"slice", "x[B A]", "%10 = slice %0[b _] slot=1 first=1 stride=2 -> [b _] : f64[B, S]", 10, ANY,
     true},
    {"pad", "x[A B]", "%10 = pad %0[_ b] before=2 after=1 stride=2 value=0.5 -> [_ b] : f64[P, B]",
     10, ANY, true},
    {"concat", "x[C A] y[C B]", "%10 = concat %0[c _], %1[c _] slot=1 -> [c _] : f64[C, N]", 10,
     ANY, true},
    {"gather", "x[A B]",
     "%10 = input name=\"ids\" -> [c] : i32[C]\n%11 = gather %0[_ b], %10[c] -> [c b] : f64[C, B]",
     11, ANY, false},
    {"gather, an id a row", "x[C A]",
     "%10 = input name=\"ids\" -> [c] : i32[C]\n%11 = gather %0[c _], %10[c] -> [c] : f64[C]", 11,
     ANY, false},
    {"scatter_add", "x[C B]",
     "%10 = input name=\"ids\" -> [c] : i32[C]\n%11 = scatter_add %0[c b], %10[c] -> [_ b] : "
     "f64[A, B]",
     11, ANY, false},
    {"cumsum", "x[A B]", "%10 = cumsum %0[a b] slot=1 -> [a b] : f64[A, B]", 10, ANY, true},
    {"cumsum from the end", "x[A B]", "%10 = cumsum %0[a b] reverse=1 -> [a b] : f64[A, B]", 10,
     ANY, true},
    {"conv", "x[A B X] w[C B W]",
     "%10 = conv %0[n i _], %1[o i _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 -> [n o _] : "
     "f64[A, C, Y]",
     10, ANY, false},
    {"conv, two groups", "x[A G X] w[G B W]",
     "%10 = conv %0[n _ _], %1[o _ _] spatial=1 groups=2 stride0=2 pad0=1 dilation0=1 -> [n o _] : "
     "f64[A, G, Y]",
     10, ANY, false},
    {"conv in two dimensions", "x[A B X X] w[C B W W]",
     "%10 = conv %0[n i _ _], %1[o i _ _] spatial=2 groups=1 stride0=2 pad0=1 dilation0=1 "
     "stride1=2 "
     "pad1=1 dilation1=1 -> [n o _ _] : f64[A, C, Y, Y]",
     10, ANY, false},
    {"conv_data", "y[A C Y] w[C B W]",
     "%10 = conv_data %0[n o _], %1[o i _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 -> [n i "
     "_] "
     ": f64[A, B, X]",
     10, ANY, false},
    {"max_pool", "x[A B X]",
     "%10 = max_pool %0[n c _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 window0=3 -> [n c "
     "_] : "
     "f64[A, B, Y]",
     10, ANY, false},
    {"sum_pool", "x[A B X]",
     "%10 = sum_pool %0[n c _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 window0=3 -> [n c "
     "_] : "
     "f64[A, B, Y]",
     10, ANY, false},
    {"attention", "q[A B C X] k[A B M X] v[A B M C]",
     "%10, %11 = attention %0[a b s d], %1[a b t d], %2[a b t e] scale=0.5 -> [a b s e], [a b s] : "
     "f64[A, B, C, C], f64[A, B, C]",
     10, ANY, false},
    {"attention, causal, shared heads", "q[A B X C] k[A X C] v[A X B]",
     "%10, %11 = attention %0[a h s d], %1[a t d], %2[a t e] causal=1 window=2 scale=0.7 -> [a h s "
     "e], "
     "[a h s] : f64[A, B, X, B], f64[A, B, X]",
     10, ANY, false},
    {"attention, key mask", "q[A X C] k[A X C] v[A X C]",
     "%10 = index -> [t] : i32[X]\n%12 = constant value=2 -> [] : i32\n"
     "%13 = lt %10[t], %12 -> [t] : bool[X]\n"
     "%14, %15 = attention %0[a s d], %1[a t d], %2[a t e], %13[t] scale=1 -> [a s e], [a s] : "
     "f64[A, X, C], f64[A, X]",
     14, ANY, false},
    {"detach", "x[A]",
     "%10 = detach %0[a] -> [a] : f64[A]\n%11 = add %10[a], %0[a] -> [a] : f64[A]", -11, ANY,
     false},
    {"repeat", "x[A B] w[L B B]",
     "%10 = repeat %0, %1 iterations=3 carried=1 : f64[A, B]\n"
     "arguments %11 : f64[A, B], %12 : f64[B, B]\n"
     "%13 = dot %11[a b], %12[b c] -> [a c] : f64[A, B]\n%14 = tanh %13[a b] -> [a b] : f64[A, B]\n"
     "yield %14\nend",
     10, ANY, true},
    {"repeat, backwards, stacked result", "x[A] w[L A]",
     "%10, %11 = repeat %0, %1 iterations=3 carried=1 reverse=1 : f64[A], f64[L, A]\n"
     "arguments %12 : f64[A], %13 : f64[A]\n"
     "%14 = mul %12[a], %13[a] -> [a] : f64[A]\n%15 = sin %14[a] -> [a] : f64[A]\n"
     "%16 = exp %14[a] -> [a] : f64[A]\nyield %15, %16\nend\n"
     "%17 = add %11[l a], %10[a] -> [l a] : f64[L, A]",
     17, ANY, true},
    {"repeat, captured parameter", "x[A B] w[B B] b[B]",
     "%10 = repeat %0 iterations=3 carried=1 : f64[A, B]\narguments %11 : f64[A, B]\n"
     "%12 = dot %11[a b], %1[b c] -> [a c] : f64[A, B]\n%13 = add %12[a b], %2[b] -> [a b] : "
     "f64[A, B]\n"
     "%14 = tanh %13[a b] -> [a b] : f64[A, B]\nyield %14\nend",
     10, ANY, true},
    {"repeat in a repeat", "x[A] w[L A] u[A]",
     "%10 = repeat %0, %1 iterations=3 carried=1 : f64[A]\narguments %11 : f64[A], %12 : f64[A]\n"
     "%13 = mul %12[a], %12[a] -> [a] : f64[A]\n"
     "%14 = repeat %11, %1 iterations=3 carried=1 : f64[A]\narguments %15 : f64[A], %16 : f64[A]\n"
     "%17 = mul %15[a], %16[a] -> [a] : f64[A]\n%18 = add %17[a], %13[a] -> [a] : f64[A]\n"
     "%19 = mul %18[a], %2[a] -> [a] : f64[A]\n%20 = sin %19[a] -> [a] : f64[A]\nyield %20\nend\n"
     "yield %14\nend",
     10, ANY, true},
    {"repeat, two carried, one unused", "x[A] y[A]",
     "%10, %11 = repeat %0, %1 iterations=3 carried=2 : f64[A], f64[A]\n"
     "arguments %12 : f64[A], %13 : f64[A]\n"
     "%14 = mul %12[a], %13[a] -> [a] : f64[A]\nyield %14, %12\nend",
     10, ANY, true},
};

static const int grid[][3] = {{2, 3, 4}, {1, 1, 1}, {5, 1, 3}, {1, 4, 2}, {3, 5, 1}};
static const int empty_grid[][3] = {{0, 3, 2}, {2, 0, 1}, {3, 2, 0}};

#endif
