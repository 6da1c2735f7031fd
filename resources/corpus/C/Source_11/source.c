#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct word {
    char *text;
    int count;
    struct word *next;
};

static struct word *table[BUCKETS];
static int distinct;

static unsigned hash(const char *s)
{
    unsigned h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h % BUCKETS;
}

static void count_word(const char *s)
{
    unsigned h = hash(s);
    for (struct word *w = table[h]; w; w = w->next)
        if (strcmp(w->text, s) == 0) {
            w->count++;
            return;
        }
    struct word *w = malloc(sizeof *w);
    w->text = strdup(s);
    w->count = 1;
    w->next = table[h];
    table[h] = w;
    distinct++;
}

static int by_count(const void *a, const void *b)
{
    const struct word *x = *(struct word *const *)a, *y = *(struct word *const *)b;
    if (x->count != y->count)
        return y->count - x->count;
    return strcmp(x->text, y->text);
}

int main(void)
{
    char buffer[256];
    while (scanf("%255s", buffer) == 1) {
        int n = 0;
        for (char *p = buffer; *p; p++)
            if (isalpha((unsigned char)*p))
                buffer[n++] = (char)tolower((unsigned char)*p);
        buffer[n] = '\0';
        if (n > 0)
            count_word(buffer);
    }
    struct word **all = malloc(sizeof *all * (size_t)(distinct + 1));
    int k = 0;
    for (int i = 0; i < BUCKETS; i++)
        for (struct word *w = table[i]; w; w = w->next)
            all[k++] = w;
    qsort(all, (size_t)k, sizeof *all, by_count);
    for (int i = 0; i < k && i < 5; i++)
        printf("%-10s %d\n", all[i]->text, all[i]->count);
    return 0;
}
