/* Runs a fuzzer's function over each file of the folders given, in byte order of their names, and over each of its
 * beginnings in steps, so that the ordinary suite tests the corpus and its truncations. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST = 1 << 20, CUTS = 16 };

static int replay_file(const char *path)
{
    static uint8_t bytes[LARGEST];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 0; cut <= CUTS; cut++) {
        /* Its own memory, so that a sanitizer sees a step beyond the end. */
        size_t part = size * cut / CUTS;
        uint8_t *copy = malloc(part + !part);
        fuzz_require(copy != NULL, "no memory");
        memcpy(copy, bytes, part);
        LLVMFuzzerTestOneInput(copy, part);
        free(copy);
    }
    return 1;
}

static int replay_folder(const char *folder)
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort), files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            files += replay_file(path);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return files;
}

int main(int count, char **folders)
{
    int files = 0;
    for (int i = 1; i < count; i++)
        files += replay_folder(folders[i]);
    printf("%d files replayed\n", files);
    return files == 0;
}
