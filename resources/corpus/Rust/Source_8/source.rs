use std::collections::VecDeque;
use std::io::{self, BufRead};

fn main() {
    let grid: Vec<Vec<u8>> = io::stdin()
        .lock()
        .lines()
        .map(|l| l.unwrap().trim_end().as_bytes().to_vec())
        .filter(|l| !l.is_empty())
        .collect();
    let rows = grid.len();
    let cols = grid[0].len();
    let find = |wanted: u8| {
        (0..rows)
            .flat_map(|r| (0..cols).map(move |c| (r, c)))
            .find(|&(r, c)| grid[r][c] == wanted)
    };
    let (start, goal) = match (find(b'S'), find(b'E')) {
        (Some(s), Some(e)) => (s, e),
        _ => {
            println!("no start or no end");
            return;
        }
    };
    let mut dist = vec![vec![usize::MAX; cols]; rows];
    dist[start.0][start.1] = 0;
    let mut queue = VecDeque::from([start]);
    while let Some((r, c)) = queue.pop_front() {
        for (dr, dc) in [(0i32, 1i32), (1, 0), (0, -1), (-1, 0)] {
            let (nr, nc) = (r as i32 + dr, c as i32 + dc);
            if nr < 0 || nc < 0 || nr >= rows as i32 || nc >= cols as i32 {
                continue;
            }
            let (nr, nc) = (nr as usize, nc as usize);
            if grid[nr][nc] != b'#' && dist[nr][nc] == usize::MAX {
                dist[nr][nc] = dist[r][c] + 1;
                queue.push_back((nr, nc));
            }
        }
    }
    match dist[goal.0][goal.1] {
        usize::MAX => println!("no way"),
        d => println!("{d} steps"),
    }
}
