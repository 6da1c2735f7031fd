import qualified Data.Map as M
import qualified Data.Sequence as Seq
import Data.Sequence (Seq (..), (|>))

type Cell = (Int, Int)

explore :: M.Map Cell Char -> Cell -> M.Map Cell Int
explore grid start = go (Seq.singleton start) (M.singleton start 0)
  where
    go Empty seen = seen
    go (cell@(r, c) :<| rest) seen = go queue seen'
      where
        steps = seen M.! cell + 1
        fresh = [n | n <- [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)], open n, M.notMember n seen]
        open n = maybe False (/= '#') (M.lookup n grid)
        queue = foldl (|>) rest fresh
        seen' = foldr (`M.insert` steps) seen fresh

main :: IO ()
main = do
  rows <- lines <$> getContents
  let grid = M.fromList [((r, c), x) | (r, row) <- zip [0 ..] rows, (c, x) <- zip [0 ..] row]
      at x = [cell | (cell, y) <- M.toList grid, y == x]
  case (at 'S', at 'E') of
    (s : _, e : _) -> putStrLn (maybe "no way" show (M.lookup e (explore grid s)))
    _ -> putStrLn "the map lacks S or E"
