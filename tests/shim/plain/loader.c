/* loader.c - a program without libssl, which loads the objects that its arguments name. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        void *extension = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
        void *found = extension ? dlsym(extension, "extension_run") : NULL;
        void (*run)(void);
        if (!found) {
            puts(dlerror());
            return 1;
        }
        memcpy(&run, &found, sizeof run);
        run();
    }
    return 0;
}
