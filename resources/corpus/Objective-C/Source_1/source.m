#import <Foundation/Foundation.h>
#include <stdio.h>

int main(int argc, const char *argv[])
{
    @autoreleasepool {
        int n, q;
        scanf("%d %d", &n, &q);
        NSMutableArray *prefix = [NSMutableArray arrayWithCapacity:n + 1];
        [prefix addObject:@0];
        long long running = 0;
        for (int i = 0; i < n; i++) {
            long long x;
            scanf("%lld", &x);
            running += x;
            [prefix addObject:[NSNumber numberWithLongLong:running]];
        }
        for (int i = 0; i < q; i++) {
            int l, r;
            scanf("%d %d", &l, &r);
            long long sum = [[prefix objectAtIndex:r] longLongValue] - [[prefix objectAtIndex:l - 1] longLongValue];
            printf("%lld\n", sum);
        }
    }
    return 0;
}
