data Tree = Leaf !Int | Node !Int !Int Tree Tree

-- Node: minimum, number of leaves, halves
build :: [Int] -> Tree
build [x] = Leaf x
build xs = node (build left) (build right)
  where
    (left, right) = splitAt (length xs `div` 2) xs

node :: Tree -> Tree -> Tree
node l r = Node (min (least l) (least r)) (size l + size r) l r

least, size :: Tree -> Int
least (Leaf x) = x
least (Node m _ _ _) = m
size (Leaf _) = 1
size (Node _ s _ _) = s

update :: Int -> Int -> Tree -> Tree
update _ x (Leaf _) = Leaf x
update i x (Node _ _ l r)
  | i < size l = node (update i x l) r
  | otherwise = node l (update (i - size l) x r)

query :: Int -> Int -> Tree -> Int
query from to t
  | from > to || to < 0 || from >= size t = maxBound
  | from <= 0 && to >= size t - 1 = least t
query from to (Node _ _ l r) = min (query from to l) (query (from - size l) (to - size l) r)
query _ _ (Leaf x) = x

run :: Tree -> [[String]] -> [String]
run t (["set", i, x] : rest) = run (update (read i - 1) (read x) t) rest
run t (["min", a, b] : rest) = show (query (read a - 1) (read b - 1) t) : run t rest
run _ _ = []

main :: IO ()
main = do
  first <- getLine
  commands <- map words . lines <$> getContents
  putStr (unlines (run (build (map read (words first))) commands))
