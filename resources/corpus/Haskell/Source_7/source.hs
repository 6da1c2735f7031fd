newtype Matrix = Matrix [[Integer]]

modulus :: Integer
modulus = 10 ^ (9 :: Int) + 7

instance Semigroup Matrix where
  Matrix a <> Matrix b = Matrix [[sum (zipWith (*) row col) `mod` modulus | col <- columns b] | row <- a]
    where
      columns m = foldr (zipWith (:)) (repeat []) m

power :: Matrix -> Integer -> Matrix
power _ 0 = Matrix [[1, 0], [0, 1]]
power m n
  | even n = half <> half
  | otherwise = m <> power m (n - 1)
  where
    half = power m (n `div` 2)

fibonacci :: Integer -> Integer
fibonacci n = case power (Matrix [[1, 1], [1, 0]]) n of
  Matrix [[_, f], _] -> f
  _ -> 0

main :: IO ()
main = do
  _ <- getLine
  ns <- map read . lines <$> getContents
  mapM_ (print . fibonacci) ns
