/*
Given two times of day written as HH:MM, return the number of minutes from start to finish.
A finish that comes before the start belongs to the following day.
>>> minutes_between("08:30", "09:15")
45
>>> minutes_between("23:50", "00:10")
20
*/
#include<stdio.h>
#include<string>
using namespace std;
int minutes_between(string start,string finish){
    int first=stoi(start.substr(0,2))*60+stoi(start.substr(3,2));
    int last=stoi(finish.substr(0,2))*60+stoi(finish.substr(3,2));
    if (last<first) last+=24*60;
    return last-first;
}

int main(){
    char from[6], to[6];
    while (scanf("%5s %5s", from, to) == 2)
        printf("%d\n", minutes_between(from, to));
}
