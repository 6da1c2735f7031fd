queens :: Int -> [[Int]]
queens n = go n
  where
    go 0 = [[]]
    go k = [q : rest | rest <- go (k - 1), q <- [1 .. n], safe q rest]
    safe q rest = and [q /= r && abs (q - r) /= d | (d, r) <- zip [1 ..] rest]

draw :: Int -> [Int] -> String
draw n = unlines . map (\q -> [if c == q then 'Q' else '.' | c <- [1 .. n]])

main :: IO ()
main = do
  n <- readLn
  let boards = queens n
  print (length boards)
  case boards of
    first : _ -> putStr (draw n first)
    [] -> return ()
