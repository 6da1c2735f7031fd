import Data.List (isPrefixOf, tails)

occurrences :: String -> String -> [Int]
occurrences needle hay = [i | (i, rest) <- zip [0 ..] (tails hay), needle `isPrefixOf` rest]

borders :: String -> [Int]
borders s = [k | k <- [1 .. length s - 1], take k s `isPrefixOf` drop (length s - k) s]

report :: String -> String
report line = case words line of
  [needle, hay] ->
    let found = occurrences needle hay
     in show (length found) ++ " at " ++ show found ++ ", borders " ++ show (borders needle)
  _ -> "expected two words"

main :: IO ()
main = getContents >>= mapM_ (putStrLn . report) . lines
