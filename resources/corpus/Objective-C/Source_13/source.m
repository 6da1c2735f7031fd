#import <Foundation/Foundation.h>
#include <stdio.h>

@interface Knapsack : NSObject
{
    int capacity;
    NSMutableArray *best;
}
- (id)initWithCapacity:(int)c;
- (void)addWeight:(int)w value:(int)v;
- (int)value;
@end

@implementation Knapsack

- (id)initWithCapacity:(int)c
{
    self = [super init];
    if (self != nil) {
        capacity = c;
        best = [[NSMutableArray alloc] initWithCapacity:c + 1];
        for (int i = 0; i <= c; i++)
            [best addObject:[NSNumber numberWithInt:0]];
    }
    return self;
}

- (void)addWeight:(int)w value:(int)v
{
    for (int i = capacity; i >= w; i--) {
        int with = [[best objectAtIndex:i - w] intValue] + v;
        if (with > [[best objectAtIndex:i] intValue])
            [best replaceObjectAtIndex:i withObject:[NSNumber numberWithInt:with]];
    }
}

- (int)value
{
    return [[best lastObject] intValue];
}

- (void)dealloc
{
    [best release];
    [super dealloc];
}

@end

int main(int argc, char **argv)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    int capacity, w, v;
    scanf("%d", &capacity);
    Knapsack *bag = [[[Knapsack alloc] initWithCapacity:capacity] autorelease];
    while (scanf("%d %d", &w, &v) == 2) {
        [bag addWeight:w value:v];
        NSLog(@"after %d kg: %d", w, [bag value]);
    }
    printf("%d\n", [bag value]);
    [pool drain];
    return 0;
}
