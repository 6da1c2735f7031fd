module Main where

import qualified Data.IntMap.Strict as IM
import qualified Data.Set as Set

type Graph = IM.IntMap [(Int, Int)]

dijkstra :: Graph -> Int -> IM.IntMap Int
dijkstra graph start = go (Set.singleton (0, start)) (IM.singleton start 0)
  where
    go queue best = case Set.minView queue of
      Nothing -> best
      Just ((d, v), rest)
        | d > IM.findWithDefault maxBound v best -> go rest best
        | otherwise ->
            let (queue', best') = foldl (relax d) (rest, best) (IM.findWithDefault [] v graph)
             in go queue' best'
    relax d (queue, best) (to, w)
      | d + w < IM.findWithDefault maxBound to best =
          (Set.insert (d + w, to) queue, IM.insert to (d + w) best)
      | otherwise = (queue, best)

triples :: [Int] -> [(Int, Int, Int)]
triples (a : b : w : rest) = (a, b, w) : triples rest
triples _ = []

main :: IO ()
main = do
  numbers <- map read . words <$> getContents
  case numbers of
    n : m : start : rest -> do
      let edges = take m (triples rest)
          graph = IM.fromListWith (++) ([(a, [(b, w)]) | (a, b, w) <- edges] ++ [(b, [(a, w)]) | (a, b, w) <- edges])
          best = dijkstra graph start
      putStrLn (unwords [maybe "-1" show (IM.lookup v best) | v <- [1 .. n]])
    _ -> putStrLn "bad input"
