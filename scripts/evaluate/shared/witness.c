/* Linked into every compiled program: proves that its main function came to a good end.
 *
 * Before anything of the program runs, constructors included, a word is read from the file `word`, which is deleted, and
 * standard output is put aside and replaced by /dev/null. The word is written only after main has returned 0. So a
 * program that calls exit(), prints what it likes or has its tests skipped does not pass. Link with -Wl,--wrap=main.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { ASIDE = 100 };

static char word[65];
static int aside = -1;

static void begin(void) {
    int file = open("word", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(file, word, sizeof word - 1);
    int nothing = open("/dev/null", O_RDWR);
    aside = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, ASIDE);
    if (length <= 0 || unlink("word") != 0 || nothing < 0 || aside < 0) _exit(125);
    close(file);
    dup2(nothing, STDOUT_FILENO);
    close(nothing);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = begin;

int __real_main(int argc, char **argv, char **environment);

int __wrap_main(int argc, char **argv, char **environment) {
    int code = __real_main(argc, argv, environment);
    if (code == 0 && write(aside, word, strlen(word)) < 0) return 125;
    return code;
}
