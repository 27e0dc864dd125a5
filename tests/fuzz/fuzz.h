/* fuzz.h: what the fuzzers share.
 *
 * Each fuzz_<thing>.c holds one LLVMFuzzerTestOneInput, and corpus/<thing>/ the inputs that it starts from and those
 * that once made it fail. The ordinary suite links it with replay.c and runs it over its corpus; with clang and
 * ESPALIER_FUZZ=ON it becomes a libFuzzer program as well:
 *
 *     cmake --preset asan-ubsan -DCMAKE_C_COMPILER=clang ...; build/tests/fuzz_csv -max_total_time=60 tests/fuzz/corpus/csv
 *
 * A fuzzer asks two things: nothing crashes, and what a reader accepts can be read to the end.
 */
#ifndef ESPALIER_TESTS_FUZZ_H
#define ESPALIER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* In mutate_plan.c, for the readers of plans; the other is libFuzzer's own. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The bytes as a file in memory; the path is good until the next call. */
const char *fuzz_file(const uint8_t *bytes, size_t size);

/* Ends the program loudly unless the condition holds: asserts may be compiled away. */
void fuzz_require(int condition, const char *what);

#endif
