#include "codegen/codegen_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static LLVMMetadataRef file_make(codegen_module *m, const char *path)
{
    char folder[4096];
    if (!getcwd(folder, sizeof folder))
        folder[0] = '\0';
    return LLVMDIBuilderCreateFile(m->debug, path, strlen(path), folder, strlen(folder));
}

void debug_begin(codegen_module *m)
{
    static const char producer[] = "espalier";
    LLVMValueRef version = LLVMConstInt(m->i32, LLVMDebugMetadataVersion(), 0);
    m->debug = LLVMCreateDIBuilder(m->module);
    LLVMAddModuleFlag(m->module, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18,
                      LLVMValueAsMetadata(version));
    int count = m->s->sources ? source_count(m->s->sources) : 0;
    for (int i = 0; i < count; i++)
        vec_push(m->memory, &m->files, file_make(m, source_path(m->s->sources, i)));
    LLVMMetadataRef first = count ? m->files.items[0] : file_make(m, "schedule");
    m->unit = LLVMDIBuilderCreateCompileUnit(m->debug, LLVMDWARFSourceLanguageC11, first, producer,
                                             sizeof producer - 1, 1, "", 0, 0, "", 0,
                                             LLVMDWARFEmissionFull, 0, 0, 0, "", 0, "", 0);
    m->subprogram_file = first;
}

static LLVMMetadataRef file_of(const codegen_module *m, span at)
{
    return at.file >= 0 && (size_t)at.file < m->files.count ? m->files.items[at.file] : NULL;
}

void debug_function(codegen_module *m, LLVMValueRef f, const char *name, span at)
{
    unsigned line = m->s->sources ? (unsigned)source_locate(m->s->sources, at).line : 0;
    LLVMMetadataRef file = file_of(m, at);
    if (!file)
        file = m->files.count ? m->files.items[0] : m->subprogram_file;
    LLVMMetadataRef type = LLVMDIBuilderCreateSubroutineType(m->debug, file, NULL, 0, 0);
    m->subprogram_file = file;
    m->subprogram = LLVMDIBuilderCreateFunction(m->debug, file, name, strlen(name), name,
                                                strlen(name), file, line, type, 1, 1, line, 0, 1);
    LLVMSetSubprogram(f, m->subprogram);
    debug_at(m, at);
}

void debug_at(codegen_module *m, span at)
{
    unsigned line = m->s->sources ? (unsigned)source_locate(m->s->sources, at).line : 0;
    LLVMMetadataRef scope = m->subprogram, file = file_of(m, at);
    if (file && file != m->subprogram_file)
        scope = LLVMDIBuilderCreateLexicalBlockFile(m->debug, scope, file, 0);
    LLVMSetCurrentDebugLocation2(
        m->builder, LLVMDIBuilderCreateDebugLocation(m->context, line, 1, scope, NULL));
}

void debug_end(codegen_module *m)
{
    LLVMDIBuilderFinalize(m->debug);
}
