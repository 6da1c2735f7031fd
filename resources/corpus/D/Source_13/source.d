import core.stdc.stdio;
import std.algorithm.searching : count;

alias Board = bool[][];

Board next(const Board board)
{
    immutable rows = cast(int) board.length, cols = cast(int) board[0].length;
    auto result = new Board(rows, cols);
    foreach (r; 0 .. rows)
        foreach (c; 0 .. cols)
        {
            int around = 0;
            foreach (dr; -1 .. 2)
                foreach (dc; -1 .. 2)
                    if ((dr || dc) && board[(r + dr + rows) % rows][(c + dc + cols) % cols])
                        around++;
            result[r][c] = around == 3 || (board[r][c] && around == 2);
        }
    return result;
}

void main()
{
    int rows, cols, generations;
    scanf("%d %d %d", &rows, &cols, &generations);
    auto board = new Board(rows, cols);
    foreach (row; board)
    {
        char[256] line;
        scanf("%255s", line.ptr);
        foreach (c, ref cell; row)
            cell = line[c] == '*';
    }
    foreach (g; 0 .. generations)
        board = next(board);
    size_t alive;
    foreach (row; board)
    {
        alive += row.count(true);
        foreach (cell; row)
            putchar(cell ? '*' : '.');
        putchar('\n');
    }
    printf("%zu alive\n", alive);
}
