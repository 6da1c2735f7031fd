import core.stdc.stdio;
import std.container.rbtree;

/// Marks on a line: after each mark, the length of the longest free piece.
void main()
{
    int length, marks;
    scanf("%d %d", &length, &marks);
    auto cuts = redBlackTree!int(0, length);
    int[int] pieces = [length: 1];
    auto lengths = redBlackTree!int(length);

    void change(int piece, int by)
    {
        pieces[piece] = pieces.get(piece, 0) + by;
        if (pieces[piece] == 0)
            lengths.removeKey(piece);
        else
            lengths.insert(piece);
    }

    foreach (i; 0 .. marks)
    {
        int at;
        scanf("%d", &at);
        immutable right = cuts.upperBound(at).front;
        immutable left = cuts.lowerBound(at).back;
        change(right - left, -1);
        change(at - left, 1);
        change(right - at, 1);
        cuts.insert(at);
        printf("%d ", lengths.back);
    }
    puts("");
}
