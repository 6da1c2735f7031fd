#import <Foundation/Foundation.h>
#include <stdio.h>

#define MAXN 1000

static int parent[MAXN + 1];

static int find(int x)
{
    return parent[x] == x ? x : (parent[x] = find(parent[x]));
}

int main(void)
{
    @autoreleasepool {
        int n, m;
        scanf("%d %d", &n, &m);
        for (int i = 1; i <= n; i++)
            parent[i] = i;
        while (m-- > 0) {
            int a, b;
            scanf("%d %d", &a, &b);
            parent[find(a)] = find(b);
        }
        NSMutableDictionary *groups = [NSMutableDictionary dictionary];
        for (int i = 1; i <= n; i++) {
            NSNumber *root = @(find(i));
            if (groups[root] == nil)
                groups[root] = [NSMutableArray array];
            [groups[root] addObject:@(i)];
        }
        NSArray *sorted = [[groups allValues] sortedArrayUsingComparator:^NSComparisonResult(NSArray *a, NSArray *b) {
            if ([a count] != [b count])
                return [a count] > [b count] ? NSOrderedAscending : NSOrderedDescending;
            return [a[0] compare:b[0]];
        }];
        for (NSArray *group in sorted)
            printf("%s\n", [[group componentsJoinedByString:@" "] UTF8String]);
    }
    return 0;
}
