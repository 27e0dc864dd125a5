#include "cluster/machine.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NCCL_DEPTH_MOST = 64, NCCL_GPUS_MOST = 1024 };

/* An element of the bus tree that is open: a bus it is, or the bus it hangs on. */
typedef struct nccl_open {
    int bus; /* of the draft; -1: above all sockets */
    const char *busid;
    int64_t to_above;
    int gpu; /* GPU inside; -1 */
} nccl_open;

/* An NVLink as a GPU says it; the other end is known when all is read. */
typedef struct nccl_nvlink {
    int gpu;
    const char *target;
    const char *target_class;
    int count;
} nccl_nvlink;

typedef struct nccl_net {
    const char *name;
    int64_t megabits; /* per second */
    int bus;
} nccl_net;

typedef struct nccl_reader {
    machine_draft draft;
    XML_Parser parser;
    nccl_open open[NCCL_DEPTH_MOST];
    int depth;
    VEC(const char *) gpu_busid; /* by GPU of the draft */
    VEC(int64_t) link_rate;      /* by GPU: of each NVLink */
    VEC(nccl_nvlink) nvlinks;
    VEC(nccl_net) nets;
    int sockets;
    int root; /* the bus above the sockets, -1 until a second socket comes */
    bool seen_system;
    const char *error;
    int line;
} nccl_reader;

static void nccl_fail(nccl_reader *r, const char *error)
{
    if (r->error)
        return;
    r->error = error;
    r->line = (int)XML_GetCurrentLineNumber(r->parser);
    XML_StopParser(r->parser, XML_FALSE);
}

static const char *nccl_attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static int64_t nccl_number(const char **attributes, const char *name, int64_t otherwise)
{
    const char *value = nccl_attribute(attributes, name);
    char *end;
    if (!value)
        return otherwise;
    long long number = strtoll(value, &end, 10);
    return end == value || number < 0 || number > 1000000000 ? otherwise : number;
}

static const char *nccl_copy(nccl_reader *r, const char *value)
{
    return value ? arena_copy_text(r->draft.memory, value, strlen(value)) : "";
}

/* One way, each link, by compute capability times ten. */
static int64_t nccl_nvlink_rate(int64_t capability)
{
    if (capability >= 100)
        return INT64_C(50000000000);
    if (capability == 86 || capability == 89)
        return INT64_C(14062500000);
    return capability >= 70 ? INT64_C(25000000000) : INT64_C(20000000000);
}

/* "16.0 GT/s PCIe" and a width, less the coding: 8b/10b up to 5 GT/s, 128b/130b above. */
static int64_t nccl_pcie_rate(const char **attributes)
{
    const char *speed = nccl_attribute(attributes, "link_speed");
    int64_t width = nccl_number(attributes, "link_width", 16);
    double transfers = speed ? strtod(speed, NULL) : 0;
    if (transfers <= 0 || transfers > 1000)
        transfers = 8;
    if (width < 1 || width > 64)
        width = 16;
    double coded = transfers <= 5 ? 0.8 : 128.0 / 130.0;
    return (int64_t)(transfers * coded / 8 * 1e3 * (double)width) * 1000000;
}

/* Between sockets, one way, as NCCL rates them. */
static int64_t nccl_socket_rate(const char **attributes)
{
    const char *arch = nccl_attribute(attributes, "arch");
    const char *vendor = nccl_attribute(attributes, "vendor");
    if (arch && strcmp(arch, "ppc64") == 0)
        return INT64_C(32000000000);
    if (arch && strcmp(arch, "arm64") == 0)
        return INT64_C(6000000000);
    return vendor && strcmp(vendor, "AuthenticAMD") == 0 ? INT64_C(16000000000)
                                                         : INT64_C(10000000000);
}

static int nccl_add_bus(nccl_reader *r, const char *name, int above, int64_t to_above)
{
    vec_push(r->draft.memory, &r->draft.buses, (draft_bus){name, above, to_above});
    return (int)r->draft.buses.count - 1;
}

/* The sockets hang on one bus of their own. */
static void nccl_open_socket(nccl_reader *r, nccl_open *here, const char **attributes)
{
    if (r->root < 0)
        r->root = nccl_add_bus(r, "sockets", -1, 0);
    const char *name = arena_format(r->draft.memory, "cpu%d", r->sockets++);
    here->bus = nccl_add_bus(r, name, r->root, nccl_socket_rate(attributes));
}

/* A bridge is a bus; a GPU's or NIC's own function is not, but nothing tells them apart before their children. */
static void nccl_open_pci(nccl_reader *r, nccl_open *here, const char **attributes)
{
    const char *class = nccl_attribute(attributes, "class");
    here->busid = nccl_copy(r, nccl_attribute(attributes, "busid"));
    here->to_above = nccl_pcie_rate(attributes);
    if (here->bus < 0) {
        nccl_fail(r, "a 'pci' stands outside a 'cpu'");
        return;
    }
    if (!class || strncmp(class, "0x0604", 6) != 0)
        return;
    const char *name = arena_format(r->draft.memory, "pci%zu", r->draft.buses.count);
    here->bus = nccl_add_bus(r, name, here->bus, here->to_above);
}

static void nccl_open_gpu(nccl_reader *r, nccl_open *here, const char **attributes)
{
    if (r->draft.gpus.count == NCCL_GPUS_MOST || here->bus < 0) {
        nccl_fail(r, "a 'gpu' stands outside a 'pci', or there are more than 1024");
        return;
    }
    draft_gpu gpu = {.number = (int)nccl_number(attributes, "dev", 0),
                     .bus = here->bus,
                     .to_bus = here->to_above,
                     .to_cpu = -1};
    here->gpu = (int)r->draft.gpus.count;
    vec_push(r->draft.memory, &r->draft.gpus, gpu);
    vec_push(r->draft.memory, &r->gpu_busid, here->busid);
    vec_push(r->draft.memory, &r->link_rate, nccl_nvlink_rate(nccl_number(attributes, "sm", 70)));
}

static void nccl_open_nvlink(nccl_reader *r, const nccl_open *here, const char **attributes)
{
    if (here->gpu < 0) {
        nccl_fail(r, "an 'nvlink' stands outside a 'gpu'");
        return;
    }
    nccl_nvlink link = {here->gpu, nccl_copy(r, nccl_attribute(attributes, "target")),
                        nccl_copy(r, nccl_attribute(attributes, "tclass")),
                        (int)nccl_number(attributes, "count", 1)};
    if (link.count < 1 || link.count > 1024)
        nccl_fail(r, "an 'nvlink' has a count that is not from 1 to 1024");
    else
        vec_push(r->draft.memory, &r->nvlinks, link);
}

static void nccl_open_net(nccl_reader *r, const nccl_open *here, const char **attributes)
{
    nccl_net net = {nccl_copy(r, nccl_attribute(attributes, "name")),
                    nccl_number(attributes, "speed", 0), here->bus};
    vec_push(r->draft.memory, &r->nets, net);
}

static void nccl_begin(void *data, const char *element, const char **attributes)
{
    nccl_reader *r = data;
    if (r->depth == NCCL_DEPTH_MOST) {
        nccl_fail(r, "elements are nested too deep");
        return;
    }
    nccl_open here = r->depth > 0 ? r->open[r->depth - 1] : (nccl_open){-1, "", 0, -1};
    if (r->depth == 0 && strcmp(element, "system") != 0)
        nccl_fail(r, "the outermost element is not 'system'");
    else if (strcmp(element, "cpu") == 0)
        nccl_open_socket(r, &here, attributes);
    else if (strcmp(element, "pci") == 0)
        nccl_open_pci(r, &here, attributes);
    else if (strcmp(element, "gpu") == 0)
        nccl_open_gpu(r, &here, attributes);
    else if (strcmp(element, "nvlink") == 0)
        nccl_open_nvlink(r, &here, attributes);
    else if (strcmp(element, "net") == 0)
        nccl_open_net(r, &here, attributes);
    r->open[r->depth++] = here;
}

static void nccl_end(void *data, const char *element)
{
    (void)element;
    nccl_reader *r = data;
    r->depth--;
}

/* NCCL's files have no document type; one is refused, and with it entities that expand without end. */
static void nccl_doctype(void *data, const XML_Char *name, const XML_Char *system,
                         const XML_Char *public_id, int internal)
{
    (void)name, (void)system, (void)public_id, (void)internal;
    nccl_fail(data, "a document type has no place in it");
}

static int nccl_find_gpu(const nccl_reader *r, const char *busid)
{
    for (size_t i = 0; i < r->gpu_busid.count; i++)
        if (r->gpu_busid.items[i][0] && strcasecmp(r->gpu_busid.items[i], busid) == 0)
            return (int)i;
    return -1;
}

static int nccl_socket_above(const nccl_reader *r, int bus)
{
    while (r->draft.buses.items[bus].above != r->root)
        bus = r->draft.buses.items[bus].above;
    return bus;
}

/* Both ends say a link; it counts once, with the greater count. */
static void nccl_add_direct(nccl_reader *r, int from, int to, int count, int64_t each)
{
    machine_draft *d = &r->draft;
    int a = from < to ? from : to, b = from < to ? to : from;
    for (size_t i = 0; i < d->links.count; i++) {
        draft_link *known = &d->links.items[i];
        if (known->a != a || known->b != b)
            continue;
        known->lanes = known->lanes > count ? known->lanes : count;
        return;
    }
    vec_push(d->memory, &d->links, (draft_link){a, b, count, each});
}

static const char *nccl_join_nvlinks(nccl_reader *r)
{
    for (size_t i = 0; i < r->nvlinks.count; i++) {
        const nccl_nvlink *link = &r->nvlinks.items[i];
        draft_gpu *gpu = &r->draft.gpus.items[link->gpu];
        int64_t each = r->link_rate.items[link->gpu];
        int other = nccl_find_gpu(r, link->target);
        if (strncmp(link->target_class, "0x068000", 8) == 0) {
            gpu->fabric += each * link->count;
        } else if (strncmp(link->target_class, "0x068001", 8) == 0) {
            gpu->to_cpu = nccl_socket_above(r, gpu->bus);
            gpu->cpu_links += each * link->count;
        } else if (other < 0 || other == link->gpu) {
            return arena_format(r->draft.memory, "an 'nvlink' leads to '%s', which is no other GPU",
                                link->target);
        } else {
            nccl_add_direct(r, link->gpu, other, link->count, each);
        }
    }
    return NULL;
}

static bool nccl_hangs_below(const nccl_reader *r, int bus, int top)
{
    while (bus >= 0 && bus != top)
        bus = r->draft.buses.items[bus].above;
    return bus >= 0 && bus == top;
}

static void nccl_remark_nets(nccl_reader *r)
{
    for (size_t i = 0; i < r->nets.count; i++) {
        const nccl_net *net = &r->nets.items[i];
        text_add(&r->draft.remarks, "NIC %s, %g GB/s", net->name, (double)net->megabits / 8000);
        const char *before = ", near";
        for (size_t k = 0; k < r->draft.gpus.count; k++) {
            if (!nccl_hangs_below(r, r->draft.gpus.items[k].bus, net->bus))
                continue;
            text_add(&r->draft.remarks, "%s GPU %d", before, r->draft.gpus.items[k].number);
            before = ",";
        }
        text_add(&r->draft.remarks, "\n");
    }
}

machine import_nccl_xml(arena *a, const char *bytes, size_t length, const char *name)
{
    nccl_reader *r = arena_make(a, nccl_reader);
    r->draft.memory = a;
    r->draft.name = name;
    r->draft.remarks = text_in(a);
    r->root = -1;
    if (length > 1 << 26)
        return machine_refused("more than 64 MiB", 1);
    r->parser = XML_ParserCreate(NULL);
    if (!r->parser)
        return machine_refused("no memory to read it", 1);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, nccl_begin, nccl_end);
    XML_SetStartDoctypeDeclHandler(r->parser, nccl_doctype);
    if (XML_Parse(r->parser, bytes, (int)length, 1) != XML_STATUS_OK && !r->error) {
        r->error = arena_format(a, "not XML: %s", XML_ErrorString(XML_GetErrorCode(r->parser)));
        r->line = (int)XML_GetCurrentLineNumber(r->parser);
    }
    XML_ParserFree(r->parser);
    if (!r->error)
        r->error = nccl_join_nvlinks(r);
    nccl_remark_nets(r);
    return r->error ? machine_refused(r->error, r->line > 0 ? r->line : 1)
                    : machine_finish(&r->draft);
}
