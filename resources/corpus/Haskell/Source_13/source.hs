import qualified Data.Map as Map
import Data.Map (Map)
import Data.Maybe (fromMaybe)

-- Kahn's way of sorting tasks, smallest name first.
type Needs = Map String [String]

order :: Needs -> [String]
order needs
  | Map.null needs = []
  | otherwise = case [t | (t, []) <- Map.toAscList needs] of
      [] -> ["(cycle)"]
      t : _ -> t : order (Map.map (filter (/= t)) (Map.delete t needs))

parse :: [String] -> Needs
parse = foldr add Map.empty
  where
    add line m = case words line of
      task : required -> foldr (\r -> Map.insertWith (++) r []) (Map.insertWith (++) task required m) required
      [] -> m

main :: IO ()
main = do
  needs <- parse . lines <$> getContents
  putStrLn (unwords (order needs))
  print (length (fromMaybe [] (Map.lookup "house" needs)))
