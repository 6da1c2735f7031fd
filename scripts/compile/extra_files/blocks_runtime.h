/* The interface of the blocks runtime, which clang's generated code calls; GNUstep's headers ask for it, Debian has none. */
#ifndef OBJC_BLOCKS_RUNTIME_H
#define OBJC_BLOCKS_RUNTIME_H
#ifdef __cplusplus
extern "C" {
#endif
void *_Block_copy(const void *block);
void _Block_release(const void *block);
#ifdef __cplusplus
}
#endif
#define Block_copy(block) ((__typeof(block))_Block_copy((const void *)(block)))
#define Block_release(block) _Block_release((const void *)(block))
#endif
