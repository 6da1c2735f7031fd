#include <stdio.h>

/* Checks lines of brackets with a stack; prints where the first fault is. */

static char opening_of(char c)
{
    switch (c) {
    case ')': return '(';
    case ']': return '[';
    case '}': return '{';
    case '>': return '<';
    default:  return 0;
    }
}

int main(void)
{
    char line[1024];
    char stack[1024];
    while (fgets(line, sizeof line, stdin)) {
        int depth = 0, deepest = 0, fault = -1;
        for (int i = 0; line[i] && line[i] != '\n'; i++) {
            char c = line[i], open = opening_of(c);
            if (c == '(' || c == '[' || c == '{' || c == '<') {
                stack[depth++] = c;
                if (depth > deepest)
                    deepest = depth;
            } else if (open && (depth == 0 || stack[--depth] != open)) {
                fault = i;
                break;
            }
        }
        if (fault >= 0)
            printf("NO at %d\n", fault + 1);
        else if (depth > 0)
            printf("NO, %d left open\n", depth);
        else
            printf("YES, depth %d\n", deepest);
    }
    return 0;
}
