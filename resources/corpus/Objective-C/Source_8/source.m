#import <Foundation/Foundation.h>
#include <stdio.h>

int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    int rows, cols;
    if (scanf("%d %d", &rows, &cols) != 2)
        return 1;
    NSMutableArray *grid = [NSMutableArray array];
    char line[512];
    for (int i = 0; i < rows; i++) {
        scanf("%511s", line);
        [grid addObject:[NSString stringWithUTF8String:line]];
    }
    NSMutableDictionary *steps = [NSMutableDictionary dictionaryWithObject:@0 forKey:@0];
    NSMutableArray *queue = [NSMutableArray arrayWithObject:@0];
    static const int dr[] = { 0, 1, 0, -1 }, dc[] = { 1, 0, -1, 0 };

    for (NSUInteger head = 0; head < [queue count]; head++) {
        int at = [[queue objectAtIndex:head] intValue];
        int distance = [[steps objectForKey:[NSNumber numberWithInt:at]] intValue];
        for (int k = 0; k < 4; k++) {
            int r = at / cols + dr[k], c = at % cols + dc[k];
            if (r < 0 || c < 0 || r >= rows || c >= cols)
                continue;
            NSNumber *next = [NSNumber numberWithInt:r * cols + c];
            if ([[grid objectAtIndex:r] characterAtIndex:c] == '#' || [steps objectForKey:next])
                continue;
            [steps setObject:[NSNumber numberWithInt:distance + 1] forKey:next];
            [queue addObject:next];
        }
    }
    NSNumber *answer = [steps objectForKey:[NSNumber numberWithInt:rows * cols - 1]];
    if (answer)
        printf("%d of %d cells seen, %d steps\n", (int)[queue count], rows * cols, [answer intValue]);
    else
        printf("no way\n");
    [pool drain];
    return 0;
}
