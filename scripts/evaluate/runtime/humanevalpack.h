// The original's list without <cstring> and <boost/any.hpp>, with which the tests of CPP/23 call C's strlen instead
// of the solution.
#include <stdlib.h>
#include <algorithm>
#include <cmath>
#include <math.h>
#include <numeric>
#include <stdio.h>
#include <vector>
#include <set>
#include <map>
#include <queue>
#include <stack>
#include <list>
#include <deque>
#include <string>
#include <climits>
#include <iostream>
#include <sstream>
#include <fstream>
// For the tests.
#include <cassert>
using namespace std;
