/* safetensors_compare WHAT OURS THEIRS TOLERANCE: tensors of two safetensors files beside one another.
 *
 *   gradients   every "grad/…" of THEIRS
 *   weights     every other tensor of THEIRS but "loss"
 *   losses      OURS is a text file with a number a line; beside "loss" of THEIRS
 *
 * Prints the largest difference of each, relative to the tensor's largest value; fails when one passes the tolerance, when
 * a tensor is missing, or when there was nothing to compare.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/safetensors.h"

static double value_at(const safetensors_entry *e, size_t i)
{
    return rt_element_value(e->type, e->bytes + i * rt_element_bytes(e->type), false);
}

static double difference(const safetensors_entry *ours, const safetensors_entry *theirs)
{
    double most = 0, apart = 0;
    for (size_t i = 0; i < theirs->count; i++) {
        most = fmax(most, fabs(value_at(theirs, i)));
        apart = fmax(apart, fabs(value_at(ours, i) - value_at(theirs, i)));
    }
    return most > 0 ? apart / most : apart;
}

static bool is_wanted(const char *what, const char *name)
{
    bool gradient = strncmp(name, "grad/", 5) == 0;
    return strcmp(what, "gradients") == 0 ? gradient : !gradient && strcmp(name, "loss") != 0;
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
        const safetensors_entry *found = safetensors_find(ours, wanted->name);
        double apart =
            found && found->count == wanted->count ? difference(found, wanted) : INFINITY;
        printf("  %-20s %8.1e\n", wanted->name, apart);
        bad += !(apart <= tolerance);
        compared++;
    }
    safetensors_close(ours);
    return bad > 0 || compared == 0;
}

static int compare_losses(const char *path, const safetensors *theirs, double tolerance)
{
    const safetensors_entry *loss = safetensors_find(theirs, "loss");
    FILE *in = fopen(path, "r");
    double value, worst = 0;
    size_t count = 0;
    while (in && loss && count < loss->count && fscanf(in, "%lf", &value) == 1) {
        double wanted = value_at(loss, count++);
        worst = fmax(worst, fabs(value - wanted) / fabs(wanted));
    }
    if (in)
        fclose(in);
    printf("  %zu losses             %8.1e\n", count, worst);
    return !loss || count != loss->count || !(worst <= tolerance);
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
    int code = strcmp(argv[1], "losses") == 0
                   ? compare_losses(argv[2], theirs, tolerance)
                   : compare_tensors(argv[1], argv[2], theirs, tolerance);
    safetensors_close(theirs);
    return code;
}
