import qualified Data.Set as S

-- Patience sorting; a strictly increasing subsequence, so equal tops are replaced.
longest :: [Int] -> Int
longest = S.size . foldl place S.empty
  where
    place piles x = case S.lookupGE x piles of
      Just top -> S.insert x (S.delete top piles)
      Nothing -> S.insert x piles

main :: IO ()
main = do
  cases <- readLn :: IO Int
  mapM_ run [1 .. cases]
  where
    run k = do
      _ <- getLine
      xs <- map read . words <$> getLine
      putStrLn ("Case " ++ show k ++ ": " ++ show (longest xs))
