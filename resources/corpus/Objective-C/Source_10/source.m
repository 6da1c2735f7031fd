#import <Foundation/Foundation.h>
#import <stdio.h>

@interface TrieNode : NSObject
{
    NSMutableDictionary *children;
    int words;
}
- (void)addWord:(NSString *)word;
- (int)wordsWithPrefix:(NSString *)prefix;
@end

@implementation TrieNode

- (id)init
{
    self = [super init];
    if (self)
        children = [[NSMutableDictionary alloc] init];
    return self;
}

- (void)dealloc
{
    [children release];
    [super dealloc];
}

- (void)addWord:(NSString *)word
{
    words++;
    if ([word length] == 0)
        return;
    NSString *first = [word substringToIndex:1];
    TrieNode *child = [children objectForKey:first];
    if (child == nil) {
        child = [[[TrieNode alloc] init] autorelease];
        [children setObject:child forKey:first];
    }
    [child addWord:[word substringFromIndex:1]];
}

- (int)wordsWithPrefix:(NSString *)prefix
{
    if ([prefix length] == 0)
        return words;
    TrieNode *child = [children objectForKey:[prefix substringToIndex:1]];
    return [child wordsWithPrefix:[prefix substringFromIndex:1]];
}

@end

int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    TrieNode *root = [[[TrieNode alloc] init] autorelease];
    char command[8], word[128];
    while (scanf("%7s %127s", command, word) == 2) {
        NSString *text = [NSString stringWithUTF8String:word];
        if ([[NSString stringWithUTF8String:command] isEqualToString:@"add"])
            [root addWord:text];
        else
            printf("%s* %d\n", word, [root wordsWithPrefix:text]);
    }
    [pool drain];
    return 0;
}
