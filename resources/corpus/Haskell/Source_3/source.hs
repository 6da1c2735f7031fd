primes :: [Int]
primes = 2 : filter isPrime [3, 5 ..]

isPrime :: Int -> Bool
isPrime n = n > 1 && all (\p -> n `mod` p /= 0) (takeWhile (\p -> p * p <= n) primes)

factors :: Int -> [Int]
factors = go primes
  where
    go (p : ps) n
      | n < 2 = []
      | p * p > n = [n]
      | n `mod` p == 0 = p : go (p : ps) (n `div` p)
      | otherwise = go ps n
    go [] _ = []

describe :: Int -> String
describe n
  | isPrime n = show n ++ " is prime"
  | otherwise = show n ++ " = " ++ foldr1 (\a b -> a ++ " * " ++ b) (map show (factors n))

main :: IO ()
main = interact (unlines . map (describe . read) . filter (/= "1") . words)
