/* safetensors_compare WHAT OURS THEIRS TOLERANCE: tensors of two safetensors files beside one another.
 *
 *   gradients   every "grad/…" of THEIRS
 *   series      every "series/…" of THEIRS; OURS is a text file with a name and a number a line
 *   weights     every other tensor of THEIRS
 *   averages    every "…/average" of THEIRS, beside the tensor of OURS that it is an average of
 *
 * A gradient that is zero but for rounding is held against the largest gradient of all; its weight is free.
 * Prints the largest difference of each, relative to the tensor's largest value, of a series
 * relative to each number; fails when one passes the tolerance, when
 * a tensor is missing, or when there was nothing to compare.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/safetensors.h"

#define SERIES "series/"
#define GRADIENT "grad/"
#define AVERAGE "/average"

static double value_at(const safetensors_entry *e, size_t i)
{
    return rt_element_value(e->type, e->bytes + i * rt_element_bytes(e->type), false);
}

static double largest(const safetensors_entry *e)
{
    double most = 0;
    for (size_t i = 0; i < e->count; i++)
        most = fmax(most, fabs(value_at(e, i)));
    return most;
}

/* Zero, but for the rounding of f64. */
static bool is_rounding(const safetensors_entry *e)
{
    double most = largest(e);
    return most > 0 && most < 1e-13;
}

static double largest_gradient(const safetensors *file)
{
    double most = 0;
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (strncmp(safetensors_at(file, i)->name, GRADIENT, strlen(GRADIENT)) == 0)
            most = fmax(most, largest(safetensors_at(file, i)));
    return most;
}

static double difference(const safetensors_entry *ours, const safetensors_entry *theirs,
                         double scale)
{
    double apart = 0;
    for (size_t i = 0; i < theirs->count; i++)
        apart = fmax(apart, fabs(value_at(ours, i) - value_at(theirs, i)));
    return scale > 0 ? apart / scale : apart;
}

static bool is_wanted(const char *what, const char *name)
{
    bool gradient = strncmp(name, GRADIENT, strlen(GRADIENT)) == 0;
    bool series = strncmp(name, SERIES, strlen(SERIES)) == 0;
    if (strcmp(what, "averages") == 0)
        return strlen(name) > strlen(AVERAGE) &&
               strcmp(name + strlen(name) - strlen(AVERAGE), AVERAGE) == 0;
    return strcmp(what, "gradients") == 0 ? gradient : !gradient && !series;
}

/* A weight whose gradient is zero is moved by rounding alone, by Adam as far as any other: it can be anywhere. */
static bool is_free(const safetensors *theirs, const char *weight)
{
    char name[512];
    snprintf(name, sizeof name, GRADIENT "%s", weight);
    const safetensors_entry *gradient = safetensors_find(theirs, name);
    return gradient && is_rounding(gradient);
}

static const safetensors_entry *counterpart(const char *what, const safetensors *ours,
                                            const char *name)
{
    char of[512];
    size_t cut = strcmp(what, "averages") == 0 ? strlen(AVERAGE) : 0;
    snprintf(of, sizeof of, "%.*s", (int)(strlen(name) - cut), name);
    return safetensors_find(ours, of);
}

static double compare_one(const safetensors_entry *found, const safetensors *theirs,
                          const safetensors_entry *wanted)
{
    if (!found || found->count != wanted->count)
        return INFINITY;
    if (is_free(theirs, wanted->name))
        return 0;
    return difference(found, wanted,
                      is_rounding(wanted) ? largest_gradient(theirs) : largest(wanted));
}

static int compare_tensors(const char *what, const char *path, const safetensors *theirs,
                           double tolerance)
{
    rt_error error;
    safetensors *ours;
    int compared = 0, bad = 0;
    if (safetensors_open(path, &ours, &error) != RT_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (size_t i = 0; i < safetensors_count(theirs); i++) {
        const safetensors_entry *wanted = safetensors_at(theirs, i);
        if (!is_wanted(what, wanted->name))
            continue;
        double apart = compare_one(counterpart(what, ours, wanted->name), theirs, wanted);
        printf("  %-40s %8.1e%s\n", wanted->name, apart,
               is_free(theirs, wanted->name) ? "  free" : "");
        bad += !(apart <= tolerance);
        compared++;
    }
    safetensors_close(ours);
    return bad > 0 || compared == 0;
}

/* The largest difference of the numbers that OURS has under the name from those of `wanted`; infinite if it has others. */
static double series_difference(FILE *in, const char *name, const safetensors_entry *wanted)
{
    char found[256];
    double value, worst = 0;
    size_t count = 0;
    rewind(in);
    while (fscanf(in, "%255s %lf", found, &value) == 2) {
        if (strcmp(found, name) != 0)
            continue;
        if (count == wanted->count)
            return INFINITY;
        double there = value_at(wanted, count++);
        worst = fmax(worst, fabs(value - there) / fmax(fabs(there), 1e-12));
    }
    return count == wanted->count ? worst : INFINITY;
}

static int compare_series(const char *path, const safetensors *theirs, double tolerance)
{
    FILE *in = fopen(path, "r");
    int compared = 0, bad = 0;
    for (size_t i = 0; in && i < safetensors_count(theirs); i++) {
        const safetensors_entry *wanted = safetensors_at(theirs, i);
        if (strncmp(wanted->name, SERIES, strlen(SERIES)) != 0)
            continue;
        double apart = series_difference(in, wanted->name + strlen(SERIES), wanted);
        printf("  %-40s %8.1e\n", wanted->name, apart);
        bad += !(apart <= tolerance);
        compared++;
    }
    if (in)
        fclose(in);
    return bad > 0 || compared == 0;
}

int main(int argc, char **argv)
{
    rt_error error;
    safetensors *theirs;
    if (argc != 5)
        return 2;
    if (safetensors_open(argv[3], &theirs, &error) != RT_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    double tolerance = strtod(argv[4], NULL);
    int code = strcmp(argv[1], "series") == 0
                   ? compare_series(argv[2], theirs, tolerance)
                   : compare_tensors(argv[1], argv[2], theirs, tolerance);
    safetensors_close(theirs);
    return code;
}
