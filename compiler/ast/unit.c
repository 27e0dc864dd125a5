#include "ast/unit.h"

#include <string.h>
#include <strings.h>

static const unit units[] = {
#define UNIT(name, measures, scale) {name, measures, scale},
#include "ast/unit.def"
#undef UNIT
};

enum { UNIT_COUNT = sizeof units / sizeof *units };

static bool same(const unit *u, const char *name, size_t length)
{
    return strlen(u->name) == length && memcmp(u->name, name, length) == 0;
}

const unit *unit_find(const char *name, size_t length)
{
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (same(&units[i], name, length))
            return &units[i];
    return NULL;
}

/* What people write for a unit and what they mean; sought without regard to case. */
static const char *const spellings[][2] = {
    {"gbps", "Gb/s"},      {"mbps", "Mb/s"},      {"kbps", "Kb/s"},      {"tbps", "Tb/s"},
    {"gflops", "GFLOP/s"}, {"tflops", "TFLOP/s"}, {"pflops", "PFLOP/s"}, {"mflops", "MFLOP/s"},
    {"flops", "FLOP/s"},   {"tflop", "TFLOP/s"},  {"gflop", "GFLOP/s"},  {"pflop", "PFLOP/s"},
    {"sec", "s"},          {"secs", "s"},         {"second", "s"},       {"seconds", "s"},
    {"usec", "us"},        {"msec", "ms"},        {"nsec", "ns"},        {"bytes", "B"},
    {"byte", "B"},         {"percent", "%"},      {"gig", "GiB"},        {"g", "GiB"},
    {"m", "MiB"},          {"k", "KiB"},          {"t", "TiB"},          {"gi", "GiB"},
    {"gbs", "GB/s"},       {"mbs", "MB/s"},       {"tbs", "TB/s"},       {"kbs", "KB/s"},
    {"mi", "MiB"},         {"ki", "KiB"},         {"\xc2\xb5s", "us"},   {"\xce\xbcs", "us"},
};

/* GBps is GB/s, where Gbps is Gb/s. */
static const unit *unit_per_second(const char *name, size_t length)
{
    char rate[8];
    if (length < 4 || length > sizeof rate || memcmp(name + length - 2, "ps", 2) != 0)
        return NULL;
    memcpy(rate, name, length - 2);
    memcpy(rate + length - 2, "/s", 2);
    return unit_find(rate, length);
}

const unit *unit_suggest(const char *name, size_t length)
{
    const unit *rate = unit_per_second(name, length);
    if (rate)
        return rate;
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strlen(units[i].name) == length && strncasecmp(units[i].name, name, length) == 0)
            return &units[i];
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const char *meant = spellings[i][1];
        if (strlen(spellings[i][0]) == length && strncasecmp(spellings[i][0], name, length) == 0)
            return unit_find(meant, strlen(meant));
    }
    return NULL;
}

static const struct {
    const char *name, *example;
} quantities[] = {[BYTES] = {"a number of bytes", "80 GiB"},
                  [BANDWIDTH] = {"a bandwidth", "10 GB/s"},
                  [TIME] = {"a time", "5 us"},
                  [COMPUTE] = {"a rate of computing", "989 TFLOP/s"},
                  [SHARE] = {"a share", "20%"}};

const char *quantity_name(quantity q)
{
    return quantities[q].name;
}

const char *quantity_example(quantity q)
{
    return quantities[q].example;
}
