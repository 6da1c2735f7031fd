import core.stdc.stdio;
import std.container : DList;
import std.typecons : Tuple;

alias Cell = Tuple!(int, "r", int, "c");

void main()
{
    int rows, cols;
    scanf("%d %d", &rows, &cols);
    auto map = new char[128][](rows);
    foreach (ref line; map)
        scanf("%127s", line.ptr);

    auto steps = new int[][](rows, cols);
    foreach (row; steps)
        row[] = -1;
    auto queue = DList!Cell(Cell(0, 0));
    steps[0][0] = 0;
    static immutable int[2][4] moves = [[1, 0], [0, 1], [-1, 0], [0, -1]];
    while (!queue.empty)
    {
        auto at = queue.front;
        queue.removeFront();
        foreach (move; moves)
        {
            auto next = Cell(at.r + move[0], at.c + move[1]);
            if (next.r < 0 || next.c < 0 || next.r >= rows || next.c >= cols)
                continue;
            if (map[next.r][next.c] == '#' || steps[next.r][next.c] >= 0)
                continue;
            steps[next.r][next.c] = steps[at.r][at.c] + 1;
            queue.insertBack(next);
        }
    }
    printf("%d\n", steps[rows - 1][cols - 1]);
}
