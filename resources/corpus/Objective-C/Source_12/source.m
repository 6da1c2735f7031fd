#import <Foundation/Foundation.h>
#include <stdio.h>

@protocol Shape
- (double)area;
- (NSString *)describe;
@end

@interface Circle : NSObject <Shape>
@property double radius;
@end

@interface Box : NSObject <Shape>
@property double width;
@property double height;
@end

@implementation Circle
- (double)area { return 3.14159265358979 * self.radius * self.radius; }
- (NSString *)describe { return [NSString stringWithFormat:@"circle %.1f", self.radius]; }
@end

@implementation Box
- (double)area { return self.width * self.height; }
- (NSString *)describe { return [NSString stringWithFormat:@"box %.1f x %.1f", self.width, self.height]; }
@end

int main(void)
{
    @autoreleasepool {
        NSMutableArray *shapes = [NSMutableArray array];
        char kind;
        while (scanf(" %c", &kind) == 1) {
            if (kind == 'c') {
                double r;
                scanf("%lf", &r);
                Circle *c = [[Circle new] autorelease];
                c.radius = r;
                [shapes addObject:c];
            } else {
                double w, h;
                scanf("%lf %lf", &w, &h);
                Box *b = [[Box new] autorelease];
                b.width = w;
                b.height = h;
                [shapes addObject:b];
            }
        }
        [shapes sortUsingComparator:^NSComparisonResult(id<Shape> a, id<Shape> b) {
            double x = [a area], y = [b area];
            return x < y ? NSOrderedAscending : x > y ? NSOrderedDescending : NSOrderedSame;
        }];
        for (id<Shape> shape in shapes)
            printf("%-16s %8.3f\n", [[shape describe] UTF8String], [shape area]);
    }
    return 0;
}
