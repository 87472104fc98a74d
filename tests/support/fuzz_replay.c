/*
 * Runs a fuzz target over its corpus: one TAP test per file of the folders given as
 * arguments. Under a sanitizer, or when the target aborts, the program ends there.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int run_file(const char *folder, const char *name, int number)
{
    char path[4096];
    unsigned char *data = malloc(INPUT_MAX);
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file || !data) {
        printf("not ok %d - cannot read %s\n", number, path);
        if (file)
            fclose(file);
        free(data);
        return 1;
    }
    size_t size = fread(data, 1, INPUT_MAX, file);
    unsigned char *exact = malloc(size ? size : 1); /* so that a sanitizer sees an overrun */

    if (exact) {
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    fclose(file);
    printf("%s %d - %s\n", exact ? "ok" : "not ok", number, name);
    return exact == NULL;
}

int main(int argc, char **argv)
{
    int number = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        struct dirent *entry;

        while (folder && (entry = readdir(folder)) != NULL) {
            if (entry->d_name[0] != '.')
                failed += run_file(argv[i], entry->d_name, ++number);
        }
        if (folder)
            closedir(folder);
    }
    if (number == 0)
        failed = 1;
    printf("1..%d\n", number);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
