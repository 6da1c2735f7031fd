import Data.Array

-- | The most valuable load: a lazy table over items and room that is left.
knapsack :: Int -> [(Int, Int)] -> Int
knapsack capacity items = table ! (n, capacity)
  where
    n = length items
    things = listArray (1, n) items
    table = array ((0, 0), (n, capacity)) [((i, w), cell i w) | i <- [0 .. n], w <- [0 .. capacity]]
    cell 0 _ = 0
    cell i w
      | weight > w = without
      | otherwise = max without (table ! (i - 1, w - weight) + value)
      where
        (weight, value) = things ! i
        without = table ! (i - 1, w)

readItem :: String -> (Int, Int)
readItem line = case map read (words line) of
  [w, v] -> (w, v)
  _ -> error "an item is two numbers"

main :: IO ()
main = do
  [n, capacity] <- map read . words <$> getLine
  items <- mapM (const (readItem <$> getLine)) [1 .. n]
  print (knapsack capacity items)
