#include "cluster/machine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMI_COLUMNS_MOST = 512 };

/* How near two GPUs are over PCIe, nearest first. */
static const char *const smi_levels[] = {"PIX", "PXB", "PHB", "NODE", "SYS"};
static const char *const smi_bus_names[] = {"pix", "pxb", "phb", "cpu", "sys"};
enum { SMI_LEVELS = 5, SMI_SELF = -1, SMI_NVLINK = -2, SMI_OTHER = -3 };

static const int64_t smi_nvlink_rate = INT64_C(25000000000), smi_pcie_rate = INT64_C(15750000000);

/* No GPU has more NVLinks than this; where each pair names more, what it names is its links into switches. */
enum { SMI_LINKS_MOST = 18 };

typedef struct smi_cell {
    int kind; /* level, or SMI_... */
    int lanes;
} smi_cell;

typedef struct smi_reader {
    machine_draft draft;
    const char *at;
    const char *end;
    int line;
    int gpu_column[SMI_COLUMNS_MOST]; /* by column of the header: GPU number, -1 for others */
    const char *title[SMI_COLUMNS_MOST];
    int columns;
    int gpus;
    smi_cell *cells; /* by row GPU * gpus + column GPU */
    bool *row_read;
    const char *error;
} smi_reader;

/* The next line without colour codes and the carriage return; NULL at the end. */
static char *smi_line(smi_reader *r)
{
    if (r->at >= r->end)
        return NULL;
    const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *stop = newline ? newline : r->end;
    char *line = arena_alloc(r->draft.memory, (size_t)(stop - r->at) + 1);
    size_t length = 0;
    for (const char *c = r->at; c < stop; c++) {
        if (*c == '\033') {
            while (c < stop && !isalpha((unsigned char)*c))
                c++;
        } else if (*c != '\r' && *c != '\0') {
            line[length++] = *c;
        }
    }
    r->at = newline ? newline + 1 : r->end;
    r->line++;
    return line;
}

/* The next word of a line, or NULL. Columns are one word each up to the affinities, which come last. */
static char *smi_word(char **line)
{
    char *word = *line + strspn(*line, " \t");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " \t");
    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* "GPU3" as 3; -1 for anything else. */
static int smi_gpu(const char *word)
{
    char *end;
    if (strncmp(word, "GPU", 3) != 0 || !isdigit((unsigned char)word[3]))
        return -1;
    long number = strtol(word + 3, &end, 10);
    return *end == '\0' && number < SMI_COLUMNS_MOST ? (int)number : -1;
}

static bool smi_read_header(smi_reader *r)
{
    for (char *line = smi_line(r); line; line = smi_line(r)) {
        char *word = smi_word(&line);
        if (!word || smi_gpu(word) < 0)
            continue;
        for (; word && r->columns < SMI_COLUMNS_MOST; word = smi_word(&line)) {
            if (strcmp(word, "CPU") == 0 || strcmp(word, "NUMA") == 0)
                break;
            int number = smi_gpu(word);
            if (number >= 0 && number != r->gpus)
                return false;
            r->gpus += number >= 0;
            r->title[r->columns] = word;
            r->gpu_column[r->columns++] = number;
        }
        return true;
    }
    return false;
}

static smi_cell smi_cell_of(const char *word)
{
    if (strcmp(word, "X") == 0)
        return (smi_cell){SMI_SELF, 0};
    if (strncmp(word, "NV", 2) == 0 && isdigit((unsigned char)word[2])) {
        int lanes = atoi(word + 2);
        return (smi_cell){lanes >= 1 && lanes <= 64 ? SMI_NVLINK : SMI_OTHER, lanes};
    }
    for (int level = 0; level < SMI_LEVELS; level++)
        if (strcmp(word, smi_levels[level]) == 0)
            return (smi_cell){level, 0};
    return (smi_cell){SMI_OTHER, 0};
}

static void smi_read_gpu_row(smi_reader *r, int row, char *line)
{
    for (int column = 0; column < r->columns; column++) {
        char *word = smi_word(&line);
        int other = r->gpu_column[column];
        smi_cell cell = word ? smi_cell_of(word) : (smi_cell){SMI_OTHER, 0};
        if (other < 0)
            continue;
        if (cell.kind == SMI_OTHER || (cell.kind == SMI_SELF) != (other == row)) {
            r->error =
                arena_format(r->draft.memory, "'%s' between GPU%d and GPU%d is not understood",
                             word ? word : "", row, other);
            return;
        }
        r->cells[row * r->gpus + other] = cell;
    }
    r->row_read[row] = true;
}

/* A NIC's row: the GPUs that it is nearest to, as a remark. */
static void smi_read_nic_row(smi_reader *r, const char *name, char *line)
{
    int nearest = SMI_LEVELS;
    text near = text_in(r->draft.memory);
    for (int column = 0; column < r->columns; column++) {
        char *word = smi_word(&line);
        int level = word ? smi_cell_of(word).kind : SMI_OTHER;
        if (r->gpu_column[column] < 0 || level < 0 || level > nearest)
            continue;
        if (level < nearest)
            near = text_in(r->draft.memory);
        nearest = level;
        text_add(&near, " g[%d]", r->gpu_column[column]);
    }
    if (nearest < SMI_LEVELS)
        text_add(&r->draft.remarks, "NIC %s is nearest to%s (%s)\n", name, text_done(&near),
                 smi_levels[nearest]);
}

static bool smi_is_title(const smi_reader *r, const char *word)
{
    for (int column = 0; column < r->columns; column++)
        if (strcmp(r->title[column], word) == 0)
            return true;
    return false;
}

static void smi_read_rows(smi_reader *r)
{
    for (char *line = smi_line(r); line && !r->error; line = smi_line(r)) {
        char *word = smi_word(&line);
        if (!word)
            continue;
        if (strcmp(word, "Legend:") == 0)
            return;
        int row = smi_gpu(word);
        if (row >= 0 && row < r->gpus)
            smi_read_gpu_row(r, row, line);
        else if (smi_is_title(r, word))
            smi_read_nic_row(r, word, line);
    }
}

/* Both halves of the matrix must be there and agree. */
static void smi_check(smi_reader *r)
{
    for (int a = 0; a < r->gpus && !r->error; a++) {
        if (!r->row_read[a])
            r->error = arena_format(r->draft.memory, "the row of GPU%d is missing", a);
        for (int b = 0; b < a && !r->error; b++) {
            smi_cell x = r->cells[a * r->gpus + b], y = r->cells[b * r->gpus + a];
            if (x.kind != y.kind || x.lanes != y.lanes)
                r->error = arena_format(r->draft.memory, "GPU%d and GPU%d do not agree", b, a);
        }
    }
}

/* The links into NVSwitches that every pair names alike; 0 where links are direct. */
static int smi_fabric_lanes(const smi_reader *r)
{
    int lanes = r->gpus > 2 ? r->cells[1].lanes : 0;
    for (int a = 0; a < r->gpus; a++)
        for (int b = 0; b < r->gpus; b++)
            if (a != b && (r->cells[a * r->gpus + b].kind != SMI_NVLINK ||
                           r->cells[a * r->gpus + b].lanes != lanes))
                return 0;
    return lanes * (r->gpus - 1) > SMI_LINKS_MOST ? lanes : 0;
}

static void smi_add_nvlinks(smi_reader *r)
{
    int fabric = smi_fabric_lanes(r);
    for (int a = 0; a < r->gpus; a++) {
        r->draft.gpus.items[a].fabric = smi_nvlink_rate * fabric;
        for (int b = a + 1; b < r->gpus && fabric == 0; b++) {
            smi_cell cell = r->cells[a * r->gpus + b];
            if (cell.kind == SMI_NVLINK)
                vec_push(r->draft.memory, &r->draft.links,
                         (draft_link){a, b, cell.lanes, smi_nvlink_rate});
        }
    }
}

/* GPUs no further from `first` than `level`; an NVLink hides how near a pair is, and counts as farthest. */
static bool smi_within(const smi_reader *r, int first, int gpu, int level)
{
    int kind = r->cells[first * r->gpus + gpu].kind;
    return first == gpu || (kind >= 0 && kind <= level) || level == SMI_LEVELS - 1;
}

typedef struct smi_group {
    int *gpus;
    int size;
    bool whole; /* all that are on the bus above */
} smi_group;

static void smi_add_buses(smi_reader *r, const smi_group *members, int level, int above);

/* The GPUs of one bus. One GPU needs none of its own, nor do the same GPUs as those of the bus above. */
static void smi_add_bus(smi_reader *r, const smi_group *group, int level, int above)
{
    arena *a = r->draft.memory;
    int bus = above;
    if (above < 0 || (group->size > 1 && !group->whole)) {
        bus = (int)r->draft.buses.count;
        const char *name = arena_format(a, "%s%d", smi_bus_names[level], bus);
        vec_push(a, &r->draft.buses, (draft_bus){name, above, smi_pcie_rate});
    }
    for (int k = 0; k < group->size; k++)
        r->draft.gpus.items[group->gpus[k]].bus = bus;
    if (level > 0 && group->size > 1)
        smi_add_buses(r, group, level - 1, bus);
}

/* A bus below `above` for each group of GPUs within `level` of the first of them. */
static void smi_add_buses(smi_reader *r, const smi_group *members, int level, int above)
{
    arena *a = r->draft.memory;
    bool *placed = arena_array(a, bool, members->size + 1);
    for (int i = 0; i < members->size; i++) {
        smi_group group = {arena_array(a, int, members->size), 0, false};
        for (int k = i; k < members->size; k++) {
            if (placed[k] || !smi_within(r, members->gpus[i], members->gpus[k], level))
                continue;
            placed[k] = true;
            group.gpus[group.size++] = members->gpus[k];
        }
        group.whole = group.size == members->size;
        if (group.size > 0)
            smi_add_bus(r, &group, level, above);
    }
}

machine import_smi_topo(arena *a, const char *bytes, size_t length, const char *name)
{
    smi_reader *r = arena_make(a, smi_reader);
    r->draft.memory = a;
    r->draft.name = name;
    r->draft.remarks = text_in(a);
    r->at = bytes;
    r->end = bytes + length;
    if (!smi_read_header(r))
        return machine_refused("no header with GPU0, GPU1, ... in it", 1);
    r->cells = arena_array(a, smi_cell, r->gpus * r->gpus + 2);
    r->row_read = arena_array(a, bool, r->gpus + 1);
    text_add(&r->draft.remarks, "from nvidia-smi topo -m, which tells no bandwidths: "
                                "25 GB/s a link and PCIe 3.0 x16 are taken\n");
    smi_read_rows(r);
    if (!r->error)
        smi_check(r);
    if (r->error)
        return machine_refused(r->error, r->line);
    smi_group all = {arena_array(a, int, r->gpus), r->gpus, true};
    for (int i = 0; i < r->gpus; i++) {
        all.gpus[i] = i;
        vec_push(a, &r->draft.gpus,
                 (draft_gpu){.number = i, .bus = -1, .to_bus = smi_pcie_rate, .to_cpu = -1});
    }
    smi_add_nvlinks(r);
    smi_add_buses(r, &all, SMI_LEVELS - 1, -1);
    return machine_finish(&r->draft);
}
