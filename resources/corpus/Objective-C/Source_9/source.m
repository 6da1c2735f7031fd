#import <Foundation/Foundation.h>
#include <stdio.h>

@interface Task : NSObject
{
    NSString *name;
    int start, finish;
}
- (id)initWithName:(NSString *)n start:(int)s finish:(int)f;
- (NSComparisonResult)compareFinish:(Task *)other;
- (NSString *)name;
- (int)start;
- (int)finish;
@end

@implementation Task

- (id)initWithName:(NSString *)n start:(int)s finish:(int)f
{
    self = [super init];
    if (self) {
        name = [n copy];
        start = s;
        finish = f;
    }
    return self;
}

- (void)dealloc
{
    [name release];
    [super dealloc];
}

- (NSComparisonResult)compareFinish:(Task *)other
{
    if (finish == [other finish])
        return NSOrderedSame;
    return finish < [other finish] ? NSOrderedAscending : NSOrderedDescending;
}

- (NSString *)name { return name; }
- (int)start { return start; }
- (int)finish { return finish; }

@end

int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    NSMutableArray *tasks = [[NSMutableArray alloc] init];
    char word[32];
    int s, f;
    while (scanf("%31s %d %d", word, &s, &f) == 3) {
        Task *t = [[Task alloc] initWithName:[NSString stringWithUTF8String:word] start:s finish:f];
        [tasks addObject:t];
        [t release];
    }
    [tasks sortUsingSelector:@selector(compareFinish:)];
    int available = 0;
    for (Task *t in tasks) {
        if ([t start] < available)
            continue;
        printf("%s\n", [[t name] UTF8String]);
        available = [t finish];
    }
    [tasks release];
    [pool drain];
    return 0;
}
