import qualified Data.Map.Strict as Map
import Data.Char (isAlpha, toLower)
import Data.List (sortBy)
import Data.Ord (Down (..), comparing)

wordsOf :: String -> [String]
wordsOf = filter (not . null) . map (map toLower . filter isAlpha) . words

count :: [String] -> Map.Map String Int
count = foldr (\w -> Map.insertWith (+) w 1) Map.empty

main :: IO ()
main = do
  text <- getContents
  let table = Map.toList (count (wordsOf text))
      ranked = sortBy (comparing (\(w, c) -> (Down c, w))) table
  mapM_ (\(w, c) -> putStrLn (w ++ " " ++ show c)) (take 5 ranked)
